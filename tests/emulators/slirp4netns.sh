#!/bin/bash
# slirp4netns gives a link addresses by DHCP, and the way out, without the service or a tap: the link
# connects to it, and the guest pings its gateway.
. "$(dirname "$0")/lib.sh"

need_program slirp4netns slirp4netns
need_uml dhcp 10.0.2.2
start_links
as_user slirp4netns --target-type=bess slirp.sock &
is_there slirp.sock
relay --no-tap --framing message --connect slirp.sock --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
