#!/bin/bash
# A vde_switch is plugged into the link, and User-mode Linux into the switch.
. "$(dirname "$0")/lib.sh"

need_program vde_switch vde2
need_program socat socat
need_uml
start_links
serve_link --framing u16be --listen link.sock
as_user vde_switch -sock vde.ctl -daemon
is_there vde.ctl/ctl
as_user socat UNIX-CONNECT:link.sock EXEC:"vde_plug vde.ctl" &
guest_pings "${uml[@]}" eth0=vde,vde.ctl
end_link
