#!/bin/bash
# slirp4netns gives a link addresses by DHCP and the way out, without a privilege: the link connects
# to it, and the guest pings the gateway that it plays.
. "$(dirname "$0")/lib.sh"

need_program slirp4netns slirp4netns
need_uml dhcp 10.0.2.2
start_links
as_user slirp4netns --target-type=bess slirp.sock &
is_there slirp.sock
relay --framing message --connect slirp.sock --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
end_link
