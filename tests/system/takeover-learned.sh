#!/bin/bash
# Routes that were learned outlive the broker, and then the keeper too, under 1,000 packets a second:
# no packet is lost, no counter begins anew, and they are known again for what they are: they change
# and go with the range that they were learned from, and expire.
. "$(dirname "$0")/lib.sh"

# routes: what is wanted and what was learned, each with its origin.
routes() {
    nb --json mfc show | python3 -c '
import json, sys
for route in json.load(sys.stdin)["mfc_rules"]:
    print(*(route[key] for key in ("source", "group", "iif", "oifs", "origin", "state")))' | sort
}

packets_of() {
    nb --json mfc show --source "$1" --group "$2" | member mfc_rules.0.packets
}

packets_pass() {
    [ "$(packets_of 10.1.0.2 239.1.1.1)" -ge "$1" ]
}

# killed_under_way HALF: every packet of a flow arrives though this process is killed.
killed_under_way() {
    local count=$1 pid

    receive stream1 receiver1 d1 239.1.1.1 2500
    receive stream2 receiver2 d2 ff0e::1:1 2500
    send 239.1.1.1 2500 1000 &
    send ff0e::1:1 2500 1000 &
    within 10 "packets pass" packets_pass $((count + 500))
    pid=$(status_of "$2.pid")
    kill -KILL "$pid"
    within 5 "the $2 is gone" test ! -e "/proc/$pid"
    within 10 "another one serves" nb ping
    contains "IPv4" "received 2500 lost 0 duplicates 0" "$(result stream1)"
    contains "IPv6" "received 2500 lost 0 duplicates 0" "$(result stream2)"
    equal "packets counted" $((count + 2500)) "$(packets_of 10.1.0.2 239.1.1.1)"
    equal "routes" "$before" "$(routes)"
    check_agreement
}

make_topology
start_managed --state $work/state/routes
nb mfc add --group 239.1.0.0/16 --iif r0 --oifs r1 --idle 30
nb mfc add --source 10.1.0.0/24 --group 239.2.2.2 --iif r+ --oifs r+ --idle 2
nb mfc add --group ff0e::/96 --iif r0 --oifs r2
flow 239.1.1.1 1 1 0
flow ff0e::1:1 1 0 1
before=$(routes)
equal "learned routes" 2 "$(grep -c learned <<<"$before")"
within 5 "the ranges are in the file" grep -q 239.2.2.2 $work/state/routes

killed_under_way 1 broker
restarts_expected=1
killed_under_way 2501 keeper
restarts_expected=0

# The ranges still rule over what was learned from them.
flow 239.2.2.2 3 3 3
within 5 "the silent one expires" sh -c "! ip mroute show | grep -q 239.2.2.2"
nb mfc add --group 239.1.1.0/24 --iif r0 --oifs r2
sleep 0.5
flow 239.1.1.1 20 0 20
nb mfc del --group 239.1.1.0/24
flow 239.1.1.1 20 20 0
nb mfc del --group 239.1.0.0/16
nb mfc del --group ff0e::/96
equal "learned routes" 0 "$(status_of mroute.learned)"
flow 239.1.1.1 3 0 0
