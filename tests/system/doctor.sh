#!/bin/bash
# Each cause for which packets are not forwarded is made for real, and the doctor names it.
. "$(dirname "$0")/lib.sh"
. "$tests/doctor-lib.sh"

# The kernel tells of a carrier that went with up to a second's delay.
lost_carrier() {
    ip -o link show "$1" | grep -q NO-CARRIER
}

bridge_runs() {
    ip -o link show br0 | grep -q LOWER_UP
}

flow=(--source 10.1.0.2 --group 239.1.1.1)
make_topology
start_daemon

# Questions that answer themselves.
finds group problem --group 224.0.0.5
finds group problem --group ff02::5
finds group problem --group 10.1.1.1
finds source problem --source fd00:1::2 --group 239.1.1.1
finds source problem --source 239.1.1.2 --group 239.1.1.1
finds table problem --group 239.1.1.1 --table 100
finds iif problem --iif eth99
finds mc-forwarding warning --iif r0
finds routes info

# No route, and then packets without one. Without an interface of any route nothing is seen.
finds route problem "${flow[@]}"
nb mfc add --source 10.1.0.9 --group 239.9.9.9 --iif r0 --oifs r1
finds unrouted ok "${flow[@]}"
send 239.1.1.1 10
finds unrouted problem "${flow[@]}"
finds unrouted problem --group 239.1.1.1
finds unrouted problem --iif r0
finds unrouted problem
says "netbroker mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0" "${flow[@]}"
finds unrouted ok --source 10.1.0.3 --group 239.1.1.1

# A route, first without packets, then with.
nb mfc add "${flow[@]}" --iif r0 --oifs r1,r2
says "have come" "${flow[@]}" # those that waited for the route
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1
finds arrival warning --source 10.1.0.2 --group 239.1.1.2
says "No packet of (10.1.0.2, 239.1.1.2) has arrived on r0" --source 10.1.0.2 --group 239.1.1.2
flow 239.1.1.1 20 20 20
healthy "${flow[@]}"
healthy --group 239.1.1.1
finds unrouted ok
finds iif problem "${flow[@]}" --iif r2
finds route ok --source 10.1.0.2 --group 239.1.1.1 --iif r0

# A TTL that is too low for one interface, or for all.
nb mfc flush
nb mfc add "${flow[@]}" --iif r0 --oifs r1,r2 --ttls 1,16
flow 239.1.1.1 10 10 0
finds ttl problem "${flow[@]}"
says "none left by r2: their TTL is not greater than 16" "${flow[@]}"
nb mfc add "${flow[@]}" --iif r0 --oifs r1
healthy "${flow[@]}"

# Interfaces that are down, without a carrier, gone; a route that stops its flow.
ip link set r1 down
finds oif problem "${flow[@]}"
says "ip link set r1 up" "${flow[@]}"
ip link set r1 up
inside sender ip link set s0 down
within 5 "r0 has lost its carrier" lost_carrier r0
finds iif problem "${flow[@]}"
says "no carrier" "${flow[@]}"
finds iif problem
inside sender ip link set s0 up # without its IPv6 address, which went with the link
inside sender ip address add fd00:1::2/64 dev s0 nodad
within 10 "the links have a carrier" links_run
healthy "${flow[@]}"
nb mfc add "${flow[@]}" --iif r0 --oifs ""
finds route problem "${flow[@]}"
ip link add gone type veth peer name gone-peer
nb mfc add --group 239.1.1.3 --iif gone --oifs r1
ip link del gone
within 5 "the route waits" route_is waiting 239.1.1.3
finds route problem --group 239.1.1.3
finds iif problem
nb mfc flush

# Packets that come in elsewhere than the route says. The other interface needs a VIF to see them.
nb mfc add "${flow[@]}" --iif r2 --oifs r0
send 239.1.1.1 10
finds wrong-interface problem "${flow[@]}"
says "--iif r0" "${flow[@]}"
nb mfc flush
nb mfc add --group 239.1.1.1 --iif r2 --oifs r1
nb mfc add --group 239.1.1.4 --iif r0 --oifs r1
send 239.1.1.1 10
finds unrouted problem "${flow[@]}"
nb mfc flush

# The filter of source addresses: strict with the way back elsewhere, and no way back at all.
# No packet of its group waits in the kernel from above.
filtered=(--source 10.1.0.2 --group 239.1.1.5)
nb mfc add "${filtered[@]}" --iif r0 --oifs r1
ip route add 10.1.0.2/32 dev r2
sysctl -qw net.ipv4.conf.r0.rp_filter=1
flow 239.1.1.5 10 0 0
finds rp-filter problem "${filtered[@]}"
finds arrival warning "${filtered[@]}"
says "leads by r2" "${filtered[@]}"
sysctl -qw net.ipv4.conf.r0.rp_filter=2
flow 239.1.1.5 10 10 0
finds rp-filter ok "${filtered[@]}"
ip address del 10.1.0.1/24 dev r0 # the loose filter is strict then
flow 239.1.1.5 10 0 0
finds rp-filter problem "${filtered[@]}"
ip address add 10.1.0.1/24 dev r0
ip route del 10.1.0.2/32 dev r2
sysctl -qw net.ipv4.conf.r0.rp_filter=0 net.ipv4.conf.all.rp_filter=1
finds rp-filter ok "${filtered[@]}"
finds rp-filter info
inside sender ip address add 10.9.0.2/32 dev s0
nb mfc add --source 10.9.0.2 --group 239.1.1.5 --iif r0 --oifs r1
finds rp-filter problem --source 10.9.0.2 --group 239.1.1.5
says "there is no route back" --source 10.9.0.2 --group 239.1.1.5
ip route add blackhole 10.9.0.0/24
finds rp-filter problem --source 10.9.0.2 --group 239.1.1.5
sysctl -qw net.ipv4.conf.all.rp_filter=0
finds rp-filter ok --source 10.9.0.2 --group 239.1.1.5
finds rp-filter warning --source 10.2.0.1 --iif r0
nb mfc flush

# A table to which no rule leads, and one that another comes before.
says "makes it with the first route" --group 239.1.1.1 --iif r0 --table 100
nb mfc add "${flow[@]}" --iif r0 --oifs r1 --table 100
finds rule ok "${flow[@]}" --table 100
# The service's own, which it makes again, but less and less often.
lacks_rule() {
    ip mrule del iif r0 lookup 100
    finds rule problem "${flow[@]}" --table 100
    finds rule problem --table 100
    says "ip mrule add iif r0 lookup 100" "${flow[@]}" --table 100
}
for ((i = 0; i < 50; i++)); do
    if (lacks_rule) 2>/dev/null; then
        break
    fi
    sleep 0.2
done
equal "whether the doctor misses a rule" 1 $((i < 50))
ip mrule add iif r0 lookup 100
flow 239.1.1.1 10 10 0
healthy "${flow[@]}" --table 100
nb mfc add "${flow[@]}" --iif r0 --oifs r1
flow 239.1.1.1 10 10 0
finds rule problem "${flow[@]}"
nb mfc flush --all
while ip mrule del iif r0 lookup 100 2>/dev/null; do
    :
done
nb mfc add "${flow[@]}" --iif r0 --oifs r1
nb mfc add "${flow[@]}" --iif r0 --oifs r1 --table 100
flow 239.1.1.1 10 10 0
says "the kernel asks one table only" "${flow[@]}" --table 100
healthy "${flow[@]}" --iif r0
nb mfc flush --all

# Bridges: a port is no interface to routing; snooping.
ip link add br0 type bridge mcast_snooping 1
ip link set r2 master br0
ip link set br0 up
within 5 "the bridge has a carrier" bridge_runs
nb mfc add --source 10.3.0.2 --group 239.1.1.1 --iif r2 --oifs r1
finds bridge problem --source 10.3.0.2 --group 239.1.1.1
says "Name br0" --source 10.3.0.2 --group 239.1.1.1
finds bridge warning
nb mfc flush
nb mfc add "${flow[@]}" --iif r0 --oifs br0
finds bridge warning "${flow[@]}"
ip link set br0 type bridge mcast_querier 1
finds bridge info "${flow[@]}"
ip link set br0 type bridge mcast_snooping 0
send 239.1.1.1 10
healthy "${flow[@]}"
nb mfc flush

# IPv6 has no filter of sources, all else is the same.
flow6=(--source fd00:1::2 --group ff05::1)
nb mfc add --source fd00:1::9 --group ff05::9 --iif r0 --oifs r1
send ff05::1 10
finds unrouted problem "${flow6[@]}"
nb mfc add "${flow6[@]}" --iif r0 --oifs r1
flow ff05::1 10 10 0
healthy "${flow6[@]}"
