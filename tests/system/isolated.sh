#!/bin/bash
# Two networks that only the router connects, both ways: each hears the other's groups, and no
# packet comes back to where it was sent.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --group 225.1.2.3 --iif r1 --oifs r2
nb mfc add --group 225.1.2.3 --iif r2 --oifs r1
nb mfc add --group ff2e::42 --iif r1 --oifs r2
nb mfc add --group ff2e::42 --iif r2 --oifs r1

for group in 225.1.2.3 ff2e::42; do
    receive outside sender s0 $group 1 30
    reaches $group 3 3 receiver1 d1 receiver2 d2
    reaches $group 3 3 receiver2 d2 receiver1 d1
    stop_receiver outside
    contains "packets in a third network" "received 0 " "$(result outside)"
done
check_agreement
