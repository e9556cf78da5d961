#!/bin/bash
# A machine in the bridge of an LXD network: its guest has its address from dnsmasq, which LXD started
# there, and pings the host. The user of the machine has nothing of LXD's.
. "$(dirname "$0")/lib.sh"

need_root "to have an LXD of the test's own"
need_program dnsmasq dnsmasq-base
borrow lxd lxd
need_qemu dhcp 10.42.8.1
make_helper
hide /var/lib /var/log /var/cache
mkdir /var/lib/lxd /var/log/lxd /var/cache/lxd
lxd --group root >$work/lxd.log 2>&1 &
export HOME=$work
within 60 "LXD" lxc query /1.0
lxc network create lxdbr0 ipv4.address=10.42.8.1/24 ipv6.address=none
start_links lxdbr0
guest_pings "${qemu[@]}" -netdev bridge,id=n0,br=lxdbr0,helper=$helper
guest_has_address 10.42.8.
within 10 "the interface is gone" no_tap
