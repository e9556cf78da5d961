#!/bin/bash
# A source that moves to another interface: where a range covers that one, its flow is forwarded
# from there, by one event mfc.moved; a route that is wanted by name stays where it was wanted, and
# mfc.wrong-interface tells of the packets. Both families.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
{ nb --json watch || true; } >$work/events 2>&1 & # until the service ends
nb mfc add --group 239.1.0.0/16 --iif r+ --oifs r1
nb mfc add --group ff0e::/96 --iif r+ --oifs r1
nb mfc add --source 10.1.0.2 --group 239.2.2.2 --iif r0 --oifs r1,r2
nb mfc add --group 239.3.0.0/16 --iif r0 --oifs r1,r2
flow 239.1.1.1 3 3 0 # no more at first than the kernel has place for until it is answered
flow ff0e::1 3 3 0
flow 239.3.1.1 3 3 3
flow 239.2.2.2 10 10 10

# The source comes in by r2 now.
inside sender ip address flush dev s0
inside receiver2 ip address flush dev d2
inside receiver2 ip address add 10.1.0.2/24 dev d2
inside receiver2 ip address add fd00:1::2/64 dev d2 nodad
for group in 239.1.1.1 ff0e::1; do
    receive moved receiver1 d1 $group 10
    send_from receiver2 d2 $group 3000 1000 & # at most the first one is lost: it asks
    contains "packets of $group from r2" "received 10 lost 0 duplicates 0" "$(result moved)"
    within 5 "the event" grep -q "mfc.moved.*$group" $work/events
    kill $!
    wait $! 2>/dev/null || true
done
equal "the inbound interface" r2 \
    "$(nb --json mfc show --source 10.1.0.2 --group 239.1.1.1 | member mfc_rules.0.iif)"
check_agreement

# What is not to come from there does not.
for group in 239.2.2.2 239.3.1.1; do
    reaches $group 10 0 receiver2 d2 receiver1 d1
    within 5 "the event" grep -q "mfc.wrong-interface.*$group\",\"iif\":\"r2\"" $work/events
    ! grep -q "mfc.moved.*$group" $work/events || fail "$group moved"
    equal "the inbound interface" r0 \
        "$(nb --json mfc show --source 10.1.0.2 --group $group | member mfc_rules.0.iif)"
done
[ "$(status_of mroute.wrong_interface)" -ge 4 ] || fail "not all is counted"
