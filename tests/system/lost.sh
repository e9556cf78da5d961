#!/bin/bash
# A route moves to another inbound interface; its interfaces are deleted and made again: the
# kernel's own listing follows each step, and no other route is touched.
. "$(dirname "$0")/lib.sh"

# listed_is GROUP LINE, with one space between words
listed_is() {
    [ "$(ip mroute show | grep -F ",$1)" | xargs)" = "$2" ]
}

# step WHAT LINE: what the kernel lists now of 225.1.2.4.
step() {
    within 2 "$1" listed_is 225.1.2.4 "$2"
    listed_is 225.1.2.5 "(1.2.3.4,225.1.2.5) Iif: r0 Oifs: r2 State: resolved" ||
        fail "the other route, $1"
}

make_topology
connect 3 receiver1 d3
start_daemon
key=(--source 1.2.3.4 --group 225.1.2.4)
nb mfc add --source 1.2.3.4 --group 225.1.2.5 --iif r0 --oifs r2
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r2
receive bystander receiver2 d2 239.1.1.1 2000
send 239.1.1.1 2000 1000 &

nb mfc add "${key[@]}" --iif r3 --oifs r2,r1
step "before" "(1.2.3.4,225.1.2.4) Iif: r3 Oifs: r2 r1 State: resolved"
nb mfc add "${key[@]}" --iif r1 --oifs r2,r3
step "from another interface" "(1.2.3.4,225.1.2.4) Iif: r1 Oifs: r2 r3 State: resolved"
ip link delete r3
step "without an outgoing one" "(1.2.3.4,225.1.2.4) Iif: r1 Oifs: r2 State: resolved"
equal "state" partial "$(nb --json mfc show "${key[@]}" | member mfc_rules.0.state)"
ip link delete r1
step "without the inbound one" ""
equal "state" waiting "$(nb --json mfc show "${key[@]}" | member mfc_rules.0.state)"
connect 1 receiver1 d1
step "with the inbound one made again" "(1.2.3.4,225.1.2.4) Iif: r1 Oifs: r2 State: resolved"
connect 3 receiver1 d3
within 2 "with both made again" route_is installed 225.1.2.4
contains "the listing" "Iif: r1" "$(ip mroute show | grep -F ',225.1.2.4)')"
ip link delete r1
step "and without it once more" ""
nb mfc del "${key[@]}"
connect 1 receiver1 d1
step "after the route" ""
contains "packets of the route beside them" "received 2000 lost 0 duplicates 0" \
    "$(result bystander)"
