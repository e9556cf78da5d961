#!/bin/bash
# passt gives a link addresses by DHCP and the way out, without a privilege: the link connects to it,
# and the guest pings another host of its host's network.
. "$(dirname "$0")/lib.sh"

need_program passt passt
need_qemu dhcp 10.1.0.2
start_links
new_namespace outside
connect 0 outside o0
ip route add default via 10.1.0.2 dev r0
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range # as systemd sets it at boot
as_user passt --foreground --socket $home/passt.sock &
is_there passt.sock
relay --framing u32be --connect passt.sock --listen link.sock
guest_pings "${qemu[@]}" -netdev stream,id=n0,server=off,addr.type=unix,addr.path=link.sock
end_link
