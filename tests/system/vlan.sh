#!/bin/bash
# VLAN sub-interfaces of one link, two-way: what is sent in VLAN 100 arrives in VLAN 110 and back,
# each packet once, and in no other VLAN.
. "$(dirname "$0")/lib.sh"

# vlan NUMBER: on both ends of the link to receiver1.
vlan() {
    ip link add link r1 name "r1.$1" type vlan id "$1" 2>$work/reason ||
        skip "no VLANs here: $(cat $work/reason)"
    ip address add "10.$1.0.1/24" dev "r1.$1"
    ip link set "r1.$1" up
    inside receiver1 ip link add link d1 name "d1.$1" type vlan id "$1"
    inside receiver1 ip address add "10.$1.0.2/24" dev "d1.$1"
    inside receiver1 ip link set "d1.$1" up
}

make_topology
for number in 100 110 120; do
    vlan $number
done
start_daemon
nb mfc add --group 225.1.2.3 --iif r1.100 --oifs r1.110
nb mfc add --group 225.1.2.3 --iif r1.110 --oifs r1.100
nb mfc add --source 10.1.0.2 --group 225.1.2.4 --iif r0 --oifs r1.100,r1.110
check_agreement

receive untagged receiver1 d1 225.1.2.3 1 30
receive other receiver1 d1.120 225.1.2.3 1 30
reaches 225.1.2.3 3 3 receiver1 d1.100 receiver1 d1.110
reaches 225.1.2.3 3 3 receiver1 d1.110 receiver1 d1.100
for name in untagged other; do
    stop_receiver $name
    contains "packets $name" "received 0 " "$(result $name)"
done
reaches 225.1.2.4 3 3 sender s0 receiver1 d1.100
reaches 225.1.2.4 3 3 sender s0 receiver1 d1.110
reaches 225.1.2.4 3 0 sender s0 receiver1 d1.120
