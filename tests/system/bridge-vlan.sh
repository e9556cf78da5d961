#!/bin/bash
# A bridge that filters VLANs, with a host in each of three: the router routes between two of them,
# and the third one hears nothing.
. "$(dirname "$0")/lib.sh"

# port INTERFACE VLAN: the host behind it is in the VLAN without knowing it.
port() {
    ip address flush dev "$1"
    ip link set "$1" master br0
    bridge vlan delete dev "$1" vid 1
    bridge vlan add dev "$1" vid "$2" pvid untagged
}

# leg VLAN: the router's own interface in the VLAN.
leg() {
    bridge vlan add dev br0 vid "$1" self
    ip link add link br0 name "vlan$1" type vlan id "$1"
    ip address add "10.$1.0.1/24" dev "vlan$1"
    ip link set "vlan$1" up
}

make_bridge() {
    ip link add br0 type bridge vlan_filtering 1 &&
        ip link add link br0 name vlan1 type vlan id 1
}

forwarding_are() {
    [ "$(bridge link show | grep -c "state forwarding")" = "$1" ]
}

make_topology
make_bridge 2>$work/reason || skip "no bridges with VLANs here: $(cat $work/reason)"
ip link set br0 up
port r0 11
port r1 12
port r2 13
leg 11
leg 12
leg 13
start_daemon
nb mfc add --group 225.1.2.3 --iif vlan11 --oifs vlan12
nb mfc add --group 225.1.2.3 --iif vlan12 --oifs vlan11
within 5 "the bridge forwards" forwarding_are 3

receive other receiver2 d2 225.1.2.3 1 30
reaches 225.1.2.3 3 3 sender s0 receiver1 d1
reaches 225.1.2.3 3 3 receiver1 d1 sender s0
stop_receiver other
contains "packets in the third VLAN" "received 0 " "$(result other)"
check_agreement
