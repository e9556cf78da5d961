#!/bin/bash
# A machine in the bridge of libvirt's network: its guest has its address from dnsmasq, which libvirt
# started there, and pings the host. The user of the machine has nothing of libvirt's.
. "$(dirname "$0")/lib.sh"

# The administrator's libvirt of a machine of the test's own, with the network as Debian ships it.
start_network() {
    local file

    hide /etc/libvirt /var/lib /var/log /var/cache
    mkdir -p /var/lib/libvirt/dnsmasq
    for file in passwd group; do # Debian's libvirt-daemon-system adds this user
        cp /etc/$file $work/libvirt-$file
        mount --bind $work/libvirt-$file /etc/$file
    done
    echo "libvirt-qemu:x:64055:64055::/:/bin/false" >>/etc/passwd
    echo "libvirt-qemu:x:64055:" >>/etc/group
    libvirtd >$work/libvirtd.log 2>&1 &
    libvirtd=$!
    within 60 "libvirtd" virsh --quiet --connect qemu:///system version
    cat >$work/network.xml <<END
<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='on' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>
  </ip>
</network>
END
    virsh --quiet --connect qemu:///system net-define $work/network.xml
    virsh --quiet --connect qemu:///system net-start default
}

need_root "to have a libvirt of the test's own"
need_program libvirtd libvirt-daemon
need_program virsh libvirt-clients
need_program dnsmasq dnsmasq-base
need_program iptables iptables
need_qemu dhcp 192.168.122.1
make_helper
start_network
start_links virbr0
guest_pings "${qemu[@]}" -netdev bridge,id=n0,br=virbr0,helper=$helper
guest_has_address 192.168.122.
within 10 "the interface is gone" no_tap
virsh --quiet --connect qemu:///system net-destroy default
kill $libvirtd
wait $libvirtd || fail "libvirtd's exit status: $?"
