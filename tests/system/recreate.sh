#!/bin/bash
# An interface that is deleted and made again, outgoing or inbound, under traffic: its routes
# forward again within a second, and other routes lose nothing.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r2

receive bystander receiver2 d2 239.1.1.2 2000
send 239.1.1.2 2000 1000 &
ip link delete r1
within 5 "the route lacks an interface" route_is partial 239.1.1.1
connect 1 receiver1 d1
reborn=$(now_ms)
receive back receiver1 d1 239.1.1.1 1
send 239.1.1.1 1000 1000 &
sender_done=$!
contains "packets after r1 came back" "received 1 " "$(result back)"
at_most "milliseconds until the first" 1000 $(($(now_ms) - reborn))
contains "packets of the other route" "lost 0 " "$(result bystander)"
wait $sender_done

ip link delete r0
connect 0 sender s0
within 10 "the links have a carrier" links_run
within 1 "the inbound interface is back" route_is installed 239.1.1.1
flow 239.1.1.1 50 50 0
