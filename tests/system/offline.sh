#!/bin/bash
# What happens to interfaces while no broker runs: one is deleted, one is made again under its old
# name, and a new one takes a number that is free. The next broker's routes mean the names that were
# wanted, and no packet goes to a stranger.
. "$(dirname "$0")/lib.sh"

make_topology
connect 3 receiver1 d3
start_daemon --state $work/state/routes
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1,r3
nb mfc add --source 10.4.0.2 --group 239.1.1.3 --iif r3 --oifs r0
nb mfc add --source 10.5.0.2 --group 239.1.1.4 --iif r4 --oifs r0 --wait
nb mfc add --source 10.1.0.2 --group 239.1.1.5 --iif r0 --oifs r2,r4 --wait
nb mfc add --group 239.1.1.6 --iif r0 --oifs r3,r2
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs r1
nb mfc add --group 239.3.0.0/16 --iif r+ --oifs r+
flow 239.2.1.1 3 3 0
flow 239.3.1.1 3 3 3
within 5 "all is in the file" grep -q 239.3.0.0 $work/state/routes
keeper=$(status_of keeper.pid)
broker=$(status_of broker.pid)

kill -STOP "$keeper" # or there would be another broker at once
kill -KILL "$broker"
within 5 "the broker is dead" grep -q 'State:.Z' "/proc/$broker/status"
ip link delete r1
ip link delete r3
connect 3 receiver1 d3
connect 4 receiver2 d4
receive stranger receiver2 d4 239.1.1.1 1 60
receive learned receiver2 d4 239.2.1.1 1 60
send 239.1.1.1 200 1000 &
kill -CONT "$keeper"
restarts_expected=1
within 10 "the next broker" nb ping
nb mfc add --source 10.1.0.2 --group 239.1.1.9 --iif r0 --oifs r4 # and takes a number
send 239.1.1.1 200
send 239.2.1.1 200
sleep 0.2
for name in stranger learned; do
    stop_receiver $name
    contains "packets on the new interface, $name" "received 0 " "$(result $name)"
done
check_agreement

route_is partial 239.1.1.1 || fail "239.1.1.1 is not partial"
within 2 "r3 is meant by its name" route_is partial 239.1.1.2 # r1 is what it lacks
reaches 239.1.1.2 10 10 sender s0 receiver1 d3
reaches 239.1.1.3 10 10 receiver1 d3 sender s0
within 2 "r4 is not waited for" route_is installed 239.1.1.4
reaches 239.1.1.4 10 10 receiver2 d4 sender s0
reaches 239.1.1.5 10 10 sender s0 receiver2 d4
reaches 239.1.1.6 10 10 sender s0 receiver1 d3
reaches 239.1.1.9 10 10 sender s0 receiver2 d4
reaches 239.3.1.1 10 10 sender s0 receiver2 d4
connect 1 receiver1 d1
within 2 "r1 is back" route_is installed 239.1.1.1
flow 239.1.1.1 10 10 0
flow 239.2.1.1 10 10 0
flow 239.3.1.1 10 10 10
check_agreement
