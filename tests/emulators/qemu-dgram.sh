#!/bin/bash
# QEMU and the link send each other datagrams, from one path to the other.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
serve_link --datagrams --listen link.sock
guest_pings "${qemu[@]}" -netdev \
    dgram,id=n0,local.type=unix,local.path=qemu.sock,remote.type=unix,remote.path=link.sock
end_link
