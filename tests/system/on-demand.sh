#!/bin/bash
# Routes of a range of groups or sources, and from several interfaces: the kernel asks, the route of
# the flow is learned, and not even its first packet is lost.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon

# learned GROUP: how many learned routes of it there are.
learned() {
    nb --json mfc show --group "$1" | python3 -c '
import json, sys
print(sum(r["origin"] == "learned" for r in json.load(sys.stdin)["mfc_rules"]))'
}

# leaves_by OIFS: the learned route of 239.1.1.1 has just these.
leaves_by() {
    [ "$(nb --json mfc show --source 10.1.0.2 --group 239.1.1.1 | member mfc_rules.0.oifs)" = "$1" ]
}

# A range of groups, and what is outside of it.
nb mfc add --group 239.1.0.0/16 --iif r0 --oifs r1,r2
equal "state" on-demand "$(nb --json mfc show --group 239.1.0.0/16 | member mfc_rules.0.state)"
check_agreement
flow 239.1.1.1 4 4 4 # the kernel has place for so many until it is answered
flow 239.1.1.1 100 100 100
flow 239.1.255.254 3 3 3
flow 239.2.1.1 10 0 0
equal "learned routes" 2 "$(learned 239.1.0.0/16)"
check_agreement

# IPv6, all groups.
nb mfc add --group ff00::/8 --iif r0 --oifs r1
flow ff05::1:1 3 3 0

# A range of sources: 10.1.0.2 is of it.
nb mfc add --source 10.1.0.0/24 --group 239.3.1.1 --iif r0 --oifs r1
nb mfc add --source 10.9.0.0/24 --group 239.3.1.2 --iif r0 --oifs r1
flow 239.3.1.1 3 3 0
flow 239.3.1.2 20 0 0

# The more specific one wins, and a change of it is a change of what was learned.
nb mfc add --group 239.1.1.0/24 --iif r0 --oifs r2
within 3 "the flow is the smaller range's" leaves_by '["r2"]'
flow 239.1.1.1 20 0 20
nb mfc add --group 239.1.1.0/24 --iif r0 --oifs r1
flow 239.1.1.1 20 20 0
nb mfc del --group 239.1.1.0/24
flow 239.1.1.1 20 20 20

# Without the range there is nothing left of it.
nb mfc del --group 239.1.0.0/16
equal "learned routes" 0 "$(learned 239.1.0.0/16)"
flow 239.1.1.1 10 0 0

# Interfaces by pattern: the inbound one is never sent to.
nb mfc add --group 239.4.0.0/16 --iif r+ --oifs r+
flow 239.4.1.1 3 3 3
flow 239.4.1.1 50 50 50

# One group from two interfaces, any source: (*,G) twice, both ways.
nb mfc add --group 239.5.1.1 --iif r0 --oifs r1
flow 239.5.1.1 10 10 0
equal "a lone one is the kernel's own" 0 "$(learned 239.5.1.1)"
nb mfc add --group 239.5.1.1 --iif r1 --oifs r0
flow 239.5.1.1 3 3 0
equal "beside another one it is on demand" 1 "$(learned 239.5.1.1)"
receive back sender s0 239.5.1.1 3
inside receiver1 "$build/tests/system/mcsend" d1 239.5.1.1 3 1000 8 >/dev/null
contains "packets the other way" "received 3 lost 0" "$(result back)"
nb mfc del --group 239.5.1.1 --iif r1
flow 239.5.1.1 10 10 0
nb mfc del --group 239.5.1.1
flow 239.5.1.1 10 0 0

# What is silent is forgotten, and learned again.
is_forgotten() {
    [ "$(learned 239.6.0.0/16)" = 0 ]
}

nb mfc add --group 239.6.0.0/16 --iif r0 --oifs r1 --idle 5
flow 239.6.1.1 3 3 0
equal "learned routes" 1 "$(learned 239.6.0.0/16)"
within 30 "a flow that was silent is forgotten" is_forgotten
flow 239.6.1.1 3 3 0
