#!/bin/bash
# QEMU inherits a socket that is connected to the link, as lima and other starters of virtual machines
# give it one.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
serve_link --framing u32be --listen link.sock
guest_pings python3 "$emulators/sockets.py" connect link.sock "${qemu[@]}" -netdev socket,id=n0,fd=3
end_link
