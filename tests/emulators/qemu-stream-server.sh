#!/bin/bash
# QEMU listens; the link connects to it, and waits until it is there.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
serve_link --framing u32be --connect qemu.sock
guest_pings "${qemu[@]}" -netdev stream,id=n0,server=on,addr.type=unix,addr.path=qemu.sock
end_link
