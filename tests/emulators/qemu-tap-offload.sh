#!/bin/bash
# QEMU has a tap whose frames carry a virtio_net_hdr, and finds that out by itself.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
guest_pings $netbroker tap exec --offload --hosts $host/24 -- \
    "${qemu[@]}" -netdev "tap,id=n0,fd={fd}"
within 10 "the interface is gone" no_tap
