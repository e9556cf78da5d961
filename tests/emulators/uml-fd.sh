#!/bin/bash
# User-mode Linux and the link each have an end of a pair of sockets, one frame a message.
. "$(dirname "$0")/lib.sh"

need_uml
start_links
guest_pings python3 "$emulators/sockets.py" pair seqpacket \
    $netbroker link serve --hosts $host/24 --framing message --fd 3 -- \
    "${uml[@]}" vec0:transport=fd,fd=3
within 10 "the interface is gone" no_tap
