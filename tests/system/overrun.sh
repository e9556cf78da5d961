#!/bin/bash
# The kernel's word of interfaces overruns the service's socket while the service is stopped. It
# finds what was missed, and goes on listening without a request: a route is restored by itself.
. "$(dirname "$0")/lib.sh"

listed_is() {
    [ "$(ip mroute show | grep -F ",239.1.1.1)" | xargs)" = "$1" ]
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 >/dev/null
broker=$(status_of broker.pid)
for round in 1 2; do
    kill -STOP "$broker"
    overrun
    ip link delete r1
    kill -CONT "$broker"
    within 5 "round $round: the interface that is gone is missed" \
        listed_is "(10.1.0.2,239.1.1.1) Iif: r0 Oifs: r2 State: resolved"
    connect 1 receiver1 d1
    within 5 "round $round: the interface that is made again is served" \
        listed_is "(10.1.0.2,239.1.1.1) Iif: r0 Oifs: r1 r2 State: resolved"
done

# The broker dies, too.
kill -STOP "$broker"
overrun
ip link delete r1
kill -KILL "$broker"
connect 1 receiver1 d1
restarts_expected=1
within 10 "another broker" nb ping
within 5 "the interface that is made again is served" \
    listed_is "(10.1.0.2,239.1.1.1) Iif: r0 Oifs: r1 r2 State: resolved"
within 10 "the links have a carrier" links_run
flow 239.1.1.1 50 50 50
