#!/bin/bash
# QEMU has its tap from netbroker-bridge-helper, as from the helper of its own, in a bridge.
. "$(dirname "$0")/lib.sh"

need_qemu
make_bridge
start_links
guest_pings "${qemu[@]}" -netdev bridge,id=n0,br=br0,helper=$helper
within 10 "the interface is gone" no_tap
