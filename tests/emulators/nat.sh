#!/bin/bash
# A link with --nat has slirp4netns give its clients addresses and the way out. Neither the service
# nor a tap is needed.
. "$(dirname "$0")/lib.sh"

need_program slirp4netns slirp4netns
need_uml dhcp 10.0.2.2
be_user
unset NETBROKER_SOCKET
relay --nat --framing message --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
end_link
