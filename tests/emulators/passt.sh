#!/bin/bash
# passt gives a link the way out of its host: the link connects to it, and the guest pings the
# host's gateway, behind which passt has the host itself.
. "$(dirname "$0")/lib.sh"

need_program passt passt
need_uml dhcp 10.1.0.254
start_links
new_namespace outside
connect 0 outside o0
ip route add default via 10.1.0.254 dev r0
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
as_user passt --foreground --socket passt.sock &
is_there passt.sock
relay --no-tap --framing u32be --connect passt.sock --framing message --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
