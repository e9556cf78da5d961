#!/bin/bash
# Multicast through a tunnel, both ways: the router at its other end is a namespace with a service
# of nobody's, so that only the near one routes. Where the kernel has no GRE this is skipped.
. "$(dirname "$0")/lib.sh"

make_topology
ip link add g1 type gre local 10.2.0.1 remote 10.2.0.2 ttl 16 2>$work/reason ||
    skip "no GRE here: $(cat $work/reason)"
ip address add 10.77.0.1/24 dev g1
ip link set g1 up multicast on
inside receiver1 ip link add g2 type gre local 10.2.0.2 remote 10.2.0.1 ttl 16
inside receiver1 ip address add 10.77.0.2/24 dev g2
inside receiver1 ip link set g2 up multicast on
start_daemon
nb mfc add --group 225.1.2.3 --iif r0 --oifs g1
nb mfc add --group 225.1.2.3 --iif g1 --oifs r0
reaches 225.1.2.3 5 5 sender s0 receiver1 g2
reaches 225.1.2.3 5 5 receiver1 g2 sender s0
