#!/bin/bash
# The same where QEMU runs netbroker-bridge-helper by a shell, because it has options of its own.
. "$(dirname "$0")/lib.sh"

need_qemu
make_bridge
start_links
guest_pings "${qemu[@]}" -netdev "tap,id=n0,helper=$helper --br=br0 --isolated"
within 10 "the interface is gone" no_tap
