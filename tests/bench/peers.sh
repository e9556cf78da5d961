# shellcheck shell=bash
# Other programs that pass frames between taps, beside the links. What is not here of them stays out of
# the measurements.
# shellcheck disable=SC2154,SC2086 # work: of tests/system/lib.sh

# Before the namespaces are entered: as root, where they are missing, installs Debian's packages vde2,
# qemu-system-common and passt, which start no service.
install_peers() {
    local missing=()

    command -v vde_switch >/dev/null && command -v vde_plug2tap >/dev/null || missing+=(vde2)
    [ -x "$QEMU_HELPER" ] || missing+=(qemu-system-common)
    command -v passt >/dev/null || missing+=(passt)
    [ ${#missing[@]} != 0 ] && [ "$(id -u)" = 0 ] || return 0
    (apt-get install -y --no-install-recommends "${missing[@]}" || {
        apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"
    }) >/dev/null 2>&1 || true
}

QEMU_HELPER=/usr/lib/qemu/qemu-bridge-helper

have_vde() {
    command -v vde_switch >/dev/null && command -v vde_plug2tap >/dev/null
}

# A switch, and at each end a program between it and a tap.
start_vde() {
    vde_switch -sock $work/vde <&- >/dev/null 2>&1 -daemon -pidfile $work/vde.pid
    within 5 "vde_switch" test -s $work/vde.pid
    relays=("$(cat $work/vde.pid)")
    for end in a b; do
        nsenter --target "${!end}" --net -- vde_plug2tap -s $work/vde -d -P $work/vde-$end.pid t-$end
        within 5 "vde_plug2tap" test -s $work/vde-$end.pid
        relays+=("$(cat $work/vde-$end.pid)")
    done
}

# QEMU's helper looks for its rules here.
allow_qemu() {
    mkdir -p /etc/qemu
    mount -t tmpfs tmpfs /etc/qemu
    echo "allow br0" >/etc/qemu/bridge.conf
}

have_passt() {
    command -v passt >/dev/null
}

# passt on the host's side, which takes the address of the guest and its port from an interface there,
# and a link of the guest to it. It makes a namespace of its own, so it is not root's.
start_passt() {
    inside a ip link add t-a type veth peer name u-a
    inside a ip address add 10.78.0.1/24 dev t-a
    inside a ip link set t-a up
    inside a ip link set u-a up
    inside a ip route add default via 10.78.0.254 dev t-a onlink
    mkdir -p $work/passt
    chmod 777 $work/passt
    nsenter --target "$a" --net -- passt --foreground --runas nobody -4 --mtu 1500 --tcp-ports 5201 \
        --socket $work/passt/s >>$work/links.log 2>&1 &
    relays=($!)
    within 5 "passt" test -S $work/passt/s
    link_serve b --connect $work/passt/s --framing u32be
}

# It sends to the guest's Ethernet address when it has seen a frame from there, and before to all,
# which no TCP takes.
meet_passt() {
    set_address b 10.78.0.1
    inside b ip route add default via 10.78.0.254
    within 10 "passt answers" passt_is_seen
}

passt_is_seen() {
    inside b ping -q -c 1 -W 1 10.78.0.254 || true
    inside b ip neigh show to 10.78.0.254 | grep -q lladdr
}
