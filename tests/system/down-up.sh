#!/bin/bash
# Interfaces go down and up again: no route is lost or written, both families forward again, and
# receivers behind other interfaces miss nothing.
. "$(dirname "$0")/lib.sh"

down_up() {
    ip link set "$1" down
    sleep 0.1
    ip link set "$1" up
    ip address replace "fd00:$2::1/64" dev "$1" nodad # the kernel takes it when the link goes down
    within 5 "$1 has a carrier" sh -c "ip -o link show $1 | grep -q LOWER_UP"
    within 5 "IPv6 of $1" sh -c "ip -6 route show table local dev $1 | grep -q multicast"
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1,r2
nb mfc add --group 239.2.0.0/16 --iif r+ --oifs r+
nb mfc add --source fd00:1::2 --group ff05::1 --iif r0 --oifs r1
flow 239.2.1.1 3 3 3
writes=$(status_of mroute.kernel_writes)

receive stream receiver2 d2 239.1.1.1 1500
send 239.1.1.1 1500 1000 &
down_up r1 2
contains "packets behind r2" "received 1500 lost 0 duplicates 0" "$(result stream)"
down_up r0 1
within 5 "the sender's IPv6" inside sender sh -c \
    'ip -6 route show table local dev s0 | grep -q multicast'
equal "writes to the kernel" "$writes" "$(status_of mroute.kernel_writes)"
for group in 239.1.1.1 239.1.1.2 239.2.1.1; do
    flow $group 20 20 20
done
flow ff05::1 20 20 0
