#!/bin/bash
# An interface's MTU falls below 1280, and the kernel leaves its IPv6 groups without a word to the
# sockets: their joins wait, and are joined again when the MTU returns. IPv4 stays joined.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

make_topology
start_daemon
nb join add --group 239.1.1.1 --iif r0 >/dev/null
nb join add --group ff0e::1:1 --iif r0 >/dev/null
nb join add --source fd00:1::2 --group ff3e::1 --iif r0 >/dev/null
memberships=$(status_of joins.memberships)
for round in 1 2 3; do
    ip link set r0 mtu 1000
    within 5 "round $round: the join waits" join_is waiting ff0e::1:1
    no_member r0 ff0e::1:1 || fail "the kernel is a member without IPv6"
    join_is joined 239.1.1.1 || fail "IPv4 has nothing to do with it"
    ip link set r0 mtu 1500
    within 5 "round $round: the join is back" join_is joined ff0e::1:1
    within 5 "round $round: the kernel is a member" is_member r0 ff0e::1:1
    within 5 "round $round: from one source, too" join_is joined ff3e::1
    is_member r0 ff3e::1 || fail "ff3e::1 is not joined"
    is_member r0 239.1.1.1 || fail "239.1.1.1 is not joined"
done
equal "memberships" "$memberships" "$(status_of joins.memberships)"

# Between two looks of the service.
broker=$(status_of broker.pid)
kill -STOP "$broker"
ip link set r0 mtu 1000
ip link set r0 mtu 1500
kill -CONT "$broker"
within 5 "the kernel is a member again" is_member r0 ff0e::1:1
within 5 "and the join joined" join_is joined ff0e::1:1

# The broker dies meanwhile: its sockets, when they are closed, take nothing away from the next one's.
for delay in 0 0.01 0.03; do
    broker=$(status_of broker.pid)
    kill -STOP "$broker"
    ip link set r0 mtu 1000
    kill -KILL "$broker"
    sleep $delay
    ip link set r0 mtu 1500
    restarts_expected=$((restarts_expected + 1))
    within 10 "another broker" nb ping
    sleep 2
    within 5 "after $delay s the kernel is a member" is_member r0 ff0e::1:1
    within 5 "from one source, too" is_member r0 ff3e::1
    within 5 "and the join joined" join_is joined ff0e::1:1
done

# The kernel's word of it is lost.
broker=$(status_of broker.pid)
kill -STOP "$broker"
overrun
ip link set r0 mtu 1000
ip link set r0 mtu 1500
kill -CONT "$broker"
within 5 "word was lost, and the kernel is a member" is_member r0 ff0e::1:1
within 5 "and the join joined" join_is joined ff0e::1:1
nb join del --group ff0e::1:1 --iif r0 >/dev/null
within 5 "it is left" no_member r0 ff0e::1:1
