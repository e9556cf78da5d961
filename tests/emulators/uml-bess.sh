#!/bin/bash
# User-mode Linux connects to the link: one frame a message.
. "$(dirname "$0")/lib.sh"

need_uml
start_links
serve_link --framing message --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
end_link
