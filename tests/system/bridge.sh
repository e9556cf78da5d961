#!/bin/bash
# Two hosts on a bridge of the router, which is an interface as any other: what is routed to it
# reaches both, what comes from one is routed once, and the bridge itself brings it to the other.
. "$(dirname "$0")/lib.sh"

forwarding_are() {
    [ "$(bridge link show | grep -c "state forwarding")" = "$1" ]
}

make_topology
ip link add br0 type bridge 2>$work/reason || skip "no bridges here: $(cat $work/reason)"
ip link set br0 up
for port in r1 r2; do
    ip address flush dev $port
    ip link set $port master br0
done
ip address add 10.2.0.1/24 dev br0
inside receiver2 ip address add 10.2.0.3/24 dev d2
inside receiver2 ip address delete 10.3.0.2/24 dev d2
start_daemon
nb mfc add --source 10.1.0.2 --group 225.1.2.3 --iif r0 --oifs br0
nb mfc add --group 225.1.2.4 --iif br0 --oifs r0
nb mfc add --group 225.1.2.4 --iif r0 --oifs br0
nb mfc add --group 225.2.0.0/16 --iif br+ --oifs r0
within 10 "the bridge forwards" forwarding_are 2

flow 225.1.2.3 30 30 30
reaches 225.1.2.4 3 3 receiver1 d1 sender s0 # of two interfaces it is learned
reaches 225.1.2.4 3 3 sender s0 receiver1 d1
receive neighbour receiver2 d2 225.1.2.4 30
reaches 225.1.2.4 30 30 receiver1 d1 sender s0
contains "packets on the bridge" "received 30 lost 0 duplicates 0" "$(result neighbour)"
flow 225.1.2.4 30 30 30
reaches 225.2.9.9 3 3 receiver2 d2 sender s0

# A bridge that goes and comes back with another index.
ip link delete br0
within 2 "the route lacks the bridge" route_is partial 225.1.2.3
ip link add br0 type bridge
ip address add 10.2.0.1/24 dev br0
ip link set br0 up
ip link set r1 master br0
ip link set r2 master br0
within 2 "the route is complete" route_is installed 225.1.2.3
within 10 "the bridge forwards" forwarding_are 2
flow 225.1.2.3 30 30 30
check_agreement
