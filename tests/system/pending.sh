#!/bin/bash
# Routes for interfaces that come late: without --wait they are refused; with it they are shown as
# waiting, and forward from the first packet on as soon as the interfaces are there.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
wanted=(--group 239.1.1.1 --iif r3 --oifs "r4,r1")

status=0
nb mfc add "${wanted[@]}" 2>$work/refusal || status=$?
equal "exit status without --wait" 1 $status
contains "the reason" r3 "$(cat $work/refusal)"
equal "routes" 0 "$(status_of mroute.routes)"

nb mfc add "${wanted[@]}" --wait
nb mfc add --source 10.4.0.2 --group 239.1.1.2 --iif r3 --oifs r4 --wait
nb mfc add --group 239.2.0.0/16 --iif r3 --oifs r4,r1 --wait
nb mfc add --group ff05::/112 --iif r3 --oifs r4 --wait
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r4 --wait
for group in 239.1.1.1 239.1.1.2 239.2.0.0/16 ff05::/112; do
    route_is waiting $group || fail "$group does not wait"
done
route_is partial 239.1.1.3 || fail "239.1.1.3 is not partial"
equal "routes that wait" 4 "$(status_of mroute.waiting)"
check_agreement

connect 3 sender s3
within 2 "the inbound interface is seen" route_is partial 239.1.1.2
route_is on-demand 239.2.0.0/16 || fail "239.2.0.0/16 waits on"
reaches 239.1.1.1 3 3 sender s3 receiver1 d1
connect 4 receiver2 d4
within 2 "the outgoing interface is seen" route_is installed 239.1.1.1
within 2 "IPv6 runs" sh -c 'ip -6 route show table local dev r4 | grep -q multicast'
for group in 239.1.1.1 239.1.1.2 239.2.3.4; do
    reaches $group 3 3 sender s3 receiver2 d4
done
within 2 "IPv6 runs" inside sender sh -c \
    'ip -6 route show table local dev s3 | grep -q multicast'
reaches ff05::5 3 3 sender s3 receiver2 d4
reaches 239.1.1.3 3 3 sender s0 receiver2 d4
equal "routes that wait" 0 "$(status_of mroute.waiting)"
