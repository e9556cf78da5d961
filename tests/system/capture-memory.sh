#!/bin/bash
# What a capture had of memory is given back when it has ended, whatever its user keeps of it, and
# counts as his until then; but what came before the end can be read behind it.
. "$(dirname "$0")/lib.sh"

command -v xxd >/dev/null || skip "there is no xxd"
. "$(dirname "$0")/capture-lib.sh"

# Room for one ring of 8 MiB, with the 8 MiB that the kernel may have for it.
cat >>$work/netbrokerd.conf <<EOF
[limits]
capture-mib-per-user = 24
EOF
serve

# used: bytes that count as captures' memory.
used() {
    json '{"action": "STATUS"}' | python3 -c '
import json, sys
pools = json.load(sys.stdin)["payload"]["pools"]
print(next(pool["used"] for pool in pools if pool["name"] == "capture_bytes"))'
}
is_free() {
    [ "$(used)" = 0 ]
}

# Rings are opened and closed, one after the other, and their descriptors and mappings are kept.
equal "what is kept" "nothing is kept" "$(as member python3 $work/build/capture.py keep r0)"
within 10 "nothing counts" is_free
equal "captures" 0 "$(captures)"

# Who reads late, when the right to it was taken back, has all that came before.
mkfifo $work/go
as member python3 $work/build/capture.py late r0 <$work/go >$work/late &
late=$!
exec 7>$work/go
within 10 "it is open" grep -q ready $work/late
arrive 50 "$mark"
counted() {
    [ "$(json '{"action": "SHOW_CAPTURE"}' | member payload.captures.0.frames)" = 50 ]
}
within 10 "all have come" counted
nb revoke "$(nb --json leases | member leases.0.lease)" || fail "the lease is not revoked"
equal "captures" 0 "$(captures)"
[ "$(used)" -gt 0 ] || fail "what is not read does not count"
echo >&7
exec 7>&-
wait $late
equal "what was read late" "50 2" "$(tail -n 1 $work/late)"
within 10 "nothing counts" is_free
