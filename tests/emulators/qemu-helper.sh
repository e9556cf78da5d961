#!/bin/bash
# QEMU has its tap from netbroker-bridge-helper, as from the helper of its own, in a bridge.
. "$(dirname "$0")/lib.sh"

need_qemu
ip link add br0 type bridge
ip address add $host/24 dev br0
ip link set br0 up
start_links
helper=$work/netbroker-bridge-helper
cp "$build/client/netbroker-bridge-helper" $helper
chmod 755 $helper
guest_pings "${qemu[@]}" -netdev bridge,id=n0,br=br0,helper=$helper
within 10 "the interface is gone" no_tap
guest_pings "${qemu[@]}" -netdev "tap,id=n0,helper=$helper --br=br0"
within 10 "the interface is gone" no_tap
