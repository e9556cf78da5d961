#!/bin/bash
# A machine in a bridge that NetworkManager shares: its guest has its address from dnsmasq, which
# NetworkManager started there, and pings the host.
. "$(dirname "$0")/lib.sh"

# NetworkManager of a machine of the test's own, with a bus of its own.
start_network() {
    hide /var/lib
    mkdir -p /run/dbus /var/lib/NetworkManager $work/none
    cat >$work/bus.conf <<END
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
END
    dbus-daemon --config-file=$work/bus.conf --fork
    printf '%s\n' "[main]" "plugins=keyfile" "dns=none" "no-auto-default=*" "auth-polkit=false" \
        "[keyfile]" "path=$work/none" >$work/manager.conf
    NetworkManager --no-daemon --config=$work/manager.conf --config-dir=$work/none \
        --system-config-dir=$work/none --intern-config=$work/own.conf &
    within 60 "NetworkManager" nmcli general status
    nmcli connection add type bridge con-name machines ifname br-machines bridge.stp no \
        ipv4.method shared ipv4.addresses 10.42.7.1/24 ipv6.method disabled >/dev/null
    within 60 "the bridge" is_shared
}

is_shared() {
    [ "$(nmcli --get-values GENERAL.STATE connection show machines)" = activated ]
}

need_root "to have a NetworkManager of the test's own"
need_program dbus-daemon dbus
need_program dnsmasq dnsmasq-base
borrow NetworkManager network-manager
need_qemu dhcp 10.42.7.1
make_helper
start_network
start_links br-machines
guest_pings "${qemu[@]}" -netdev bridge,id=n0,br=br-machines,helper=$helper
guest_has_address 10.42.7.
within 10 "the interface is gone" no_tap

# One that does not take a tap's descriptor.
need_uml dhcp 10.42.7.1
relay --bridge br-machines --framing message --listen link.sock
guest_pings "${uml[@]}" vec0:transport=bess,dst=link.sock
guest_has_address 10.42.7.
end_link
