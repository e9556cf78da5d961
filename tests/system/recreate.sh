#!/bin/bash
# Interfaces that are deleted and made again, first an outgoing one, then the inbound one, under
# traffic: their routes forward again within a second; other routes lose nothing, and while an
# interface is away its packets go nowhere else.
. "$(dirname "$0")/lib.sh"

# back_in_time WHAT: the route's packets arrive behind r1 within a second from now.
back_in_time() {
    local made

    made=$(now_ms)
    receive back receiver1 d1 239.1.1.1 1
    send 239.1.1.1 1200 1000 &
    contains "packets after $1 came back" "received 1 " "$(result back)"
    at_most "milliseconds from $1 until the first packet" 1000 $(($(now_ms) - made))
    wait $!
}

no_leak() {
    stop_receiver leak
    contains "packets behind r2, where none belongs" "received 0 " "$(result leak)"
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r2
nb mfc add --source 10.3.0.2 --group 239.1.1.3 --iif r2 --oifs r0,r1

receive leak receiver2 d2 239.1.1.1 1 30
receive bystander receiver2 d2 239.1.1.2 2500
send 239.1.1.2 2500 1000 &
send 239.1.1.1 2500 1000 &
ip link delete r1
within 5 "the route lacks an interface" route_is partial 239.1.1.1
nb mfc add --source 10.1.0.2 --group 239.1.1.4 --iif r0 --oifs r2 >/dev/null # it wants a VIF, too
connect 1 receiver1 d1
back_in_time r1
contains "packets of the other route" "lost 0 " "$(result bystander)"

ip link delete r0 # and s0, its other end
within 5 "the route waits" route_is waiting 239.1.1.1
connect 0 sender s0
within 5 "the links have a carrier" links_run
back_in_time r0
no_leak
within 1 "all of it is there" route_is installed 239.1.1.3
flow 239.1.1.1 50 50 0
reaches 239.1.1.3 50 50 receiver2 d2 sender s0
