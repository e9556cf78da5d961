#!/bin/bash
# A machine of a user's own libvirt has its tap from netbroker-bridge-helper, in a bridge.
. "$(dirname "$0")/lib.sh"

need_program virsh libvirt-clients
need_program libvirtd libvirt-daemon
need_qemu
make_bridge
start_links
export XDG_CONFIG_HOME=$home/.config
as_user mkdir -p .config/libvirt
echo "bridge_helper = \"$helper\"" >.config/libvirt/qemu.conf
cat >machine.xml <<END
<domain type='qemu'>
  <name>machine</name>
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$work/vmlinuz</kernel>
    <initrd>$work/guest.initrd</initrd>
    <cmdline>$kernel_words</cmdline>
  </os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>$(command -v qemu-system-x86_64)</emulator>
    <interface type='bridge'>
      <source bridge='br0'/>
      <model type='virtio'/>
    </interface>
    <serial type='file'><source path='$home/serial.log'/></serial>
  </devices>
</domain>
END
as_user virsh --quiet --connect qemu:///session create machine.xml
contains "the taps" "br0" "$(as_user $netbroker tap list)"
within 300 "the guest ends" no_tap
has_pinged serial.log
