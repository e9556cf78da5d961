#!/bin/bash
# What was learned goes after its idle time without a packet, and not before; what is wanted by name
# stays, and so does a flow that sends a packet now and then.
. "$(dirname "$0")/lib.sh"

# entries FAMILY: the groups of the kernel's entries, in order.
entries() {
    ip "-$1" mroute show | grep -v unresolved | tr '(,)' '   ' | awk '{print $2}' | sort | xargs
}

make_topology
start_daemon
nb mfc add --group 225.1.2.0/24 --iif r0 --oifs r1 --idle 10
nb mfc add --group ff2e::/121 --iif r0 --oifs r1 --idle 10
nb mfc add --source 10.1.0.2 --group 225.1.1.1 --iif r0 --oifs r1
nb mfc add --group 225.1.1.2 --iif r0 --oifs r1 --idle 1
nb mfc add --source fd00:1::2 --group ff05::1 --iif r0 --oifs r1
nb mfc add --group ff05::2 --iif r0 --oifs r1

send 225.1.2.9 14 1 & # a packet a second
for group in 225.1.1.1 225.1.1.2 ff05::1 ff05::2; do
    flow $group 3 3 0
done
speaking=$(now_ms)
flow 225.1.2.3 3 3 0
flow ff2e::42 3 3 0
silent=$(now_ms)
equal "IPv4" "225.1.1.1 225.1.1.2 225.1.2.3 225.1.2.9" "$(entries 4)"
equal "IPv6" "ff05::1 ff05::2 ff2e::42" "$(entries 6)"

sleep $((8000 + speaking - $(now_ms)))e-3
equal "IPv4 after 8 s" "225.1.1.1 225.1.1.2 225.1.2.3 225.1.2.9" "$(entries 4)"
equal "IPv6 after 8 s" "ff05::1 ff05::2 ff2e::42" "$(entries 6)"
sleep $((11000 + silent - $(now_ms)))e-3
equal "IPv4 after 11 s" "225.1.1.1 225.1.1.2 225.1.2.9" "$(entries 4)"
equal "IPv6 after 11 s" "ff05::1 ff05::2" "$(entries 6)"
equal "wanted routes" 6 "$(nb --json mfc show | python3 -c '
import json, sys
print(sum(r["origin"] == "client" for r in json.load(sys.stdin)["mfc_rules"]))')"
check_agreement
flow 225.1.2.3 3 3 0
flow ff2e::42 3 3 0
