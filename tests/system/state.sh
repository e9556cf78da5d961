#!/bin/bash
# A clean stop takes the routes out of the kernel; the state file brings them back, those of a
# missing interface as soon as it is there. A damaged file is kept aside, and nothing of it used.
. "$(dirname "$0")/lib.sh"

file=$work/state/routes

wanted() {
    nb --json mfc show | python3 -c 'import json, sys
for rule in json.load(sys.stdin)["mfc_rules"]:
    print([rule.get(key) for key in ("source", "group", "iif", "oifs", "ttls", "table")])'
}

make_topology
start_daemon --state $file
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 --ttls 1,20
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r2
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r1 --table 100
before=$(wanted)
stop_daemon
equal "the kernel's routes after a stop" "" "$(ip mroute show table all)$(ip -6 mroute show)"

ip link delete r2
start_daemon --state $file
equal "routes after the start" "$before" "$(wanted)"
check_agreement
connect 2 receiver2 d2
within 2 "the interface's routes are back" route_is installed ff0e::1
flow 239.1.1.1 30 30 30 22

nb mfc del --group 239.1.1.2
within 5 "the change is in the file" sh -c "! grep -q 239.1.1.2 $file"
broker=$(status_of broker.pid)
kill -KILL "$daemon" # and with the keeper the broker goes: what is in the file is enough
wait "$daemon" || true
within 5 "the broker ends" test ! -e "/proc/$broker"
start_daemon --state $file
equal "routes after a kill" "$(grep -v 239.1.1.2 <<<"$before")" "$(wanted)"
stop_daemon

truncate -s -20 $file
start_daemon --state $file
equal "routes of a damaged file" "" "$(wanted)"
[ -e $file.damaged ] || fail "the damaged file is gone"
