#!/bin/bash
# QEMU and the link each have an end of a pair of sockets, one frame a datagram.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
guest_pings python3 "$emulators/sockets.py" pair dgram \
    $netbroker link serve --hosts $host/24 --datagrams --fd 3 -- \
    "${qemu[@]}" -netdev dgram,id=n0,local.type=fd,local.str=3
within 10 "the interface is gone" no_tap
