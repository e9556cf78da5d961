#!/bin/bash
# The kernel's word of interfaces overruns the service's socket while the service is stopped. It
# finds what was missed, and goes on listening without a request: a route is restored by itself.
. "$(dirname "$0")/lib.sh"

listed_is() {
    [ "$(ip mroute show | grep -F ",239.1.1.1)" | xargs)" = "$1" ]
}

# As many changes of an interface as overrun a socket's buffer of 212,992 bytes several times.
change_interfaces() {
    local i

    ip link add noise type veth peer name noise-peer
    for ((i = 0; i < 3000; i++)); do
        echo "link set noise up"
        echo "link set noise down"
    done | ip -batch -
    ip link delete noise
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 >/dev/null
broker=$(status_of broker.pid)
for round in 1 2; do
    kill -STOP "$broker"
    change_interfaces
    ip link delete r1
    kill -CONT "$broker"
    within 5 "round $round: the interface that is gone is missed" \
        listed_is "(10.1.0.2,239.1.1.1) Iif: r0 Oifs: r2 State: resolved"
    connect 1 receiver1 d1
    within 5 "round $round: the interface that is made again is served" \
        listed_is "(10.1.0.2,239.1.1.1) Iif: r0 Oifs: r1 r2 State: resolved"
done
flow 239.1.1.1 50 50 50
