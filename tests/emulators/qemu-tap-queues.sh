#!/bin/bash
# QEMU has a tap of two queues, which a guest of two processors shares.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
words=$((${#qemu[@]} - 2)) # but for the device, which has one queue
guest_pings $netbroker tap exec --offload --queues 2 --hosts $host/24 -- \
    "${qemu[@]:0:words}" -smp 2 -device virtio-net-pci,netdev=n0,mq=on,vectors=6 \
    -netdev "tap,id=n0,fds={fds}"
within 10 "the interface is gone" no_tap
