#!/bin/bash
# Adding a route again writes nothing. Adding it with other interfaces replaces it in one kernel
# operation: a receiver behind an interface of both loses nothing.
. "$(dirname "$0")/lib.sh"

add() {
    nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs "$1" >/dev/null
}

make_topology
start_daemon
add r1,r2
writes=$(status_of mroute.kernel_writes)
add r1,r2
add r2,r1
equal "kernel writes for the same route" "$writes" "$(status_of mroute.kernel_writes)"
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1 --dry-run
equal "kernel writes for a dry run" "$writes" "$(status_of mroute.kernel_writes)"

receive steady receiver1 d1 239.1.1.1 2000
send 239.1.1.1 2000 1000 &
for ((i = 0; i < 100; i++)); do
    add r1
    add r1,r2
done
contains "packets through 200 replacements" "lost 0 duplicates 0" "$(result steady)"
equal "routes" 1 "$(status_of mroute.routes)"
