#!/bin/bash
# QEMU connects to the link.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
serve_link --framing u32be --listen link.sock
guest_pings "${qemu[@]}" -netdev stream,id=n0,server=off,addr.type=unix,addr.path=link.sock
end_link
