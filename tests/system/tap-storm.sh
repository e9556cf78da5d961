#!/bin/bash
# Many taps, one after the other and at once, leave no interface, no lease and no descriptor. The
# kernel takes some 16 ms to delete one, and the next waits for that: NB_STORM says how many.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

count=${NB_STORM:-200}

serve
descriptors() {
    find "/proc/$(broker)/fd" -type l | wc -l
}

before=$(descriptors)
seen=$(as member python3 $work/build/tap.py storm "$count")
echo "opened and closed: $seen"
contains "refusals, while the kernel deletes" "; 0 times" "$seen"
within 10 "nothing is left" nothing_is_left
equal "leases" 0 "$(leases)"
at_most "descriptors of the broker" $((before + 2)) "$(descriptors)"
