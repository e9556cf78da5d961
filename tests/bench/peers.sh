# shellcheck shell=bash
# Other programs that pass frames between taps, beside the links. What is not here of them stays out of
# the measurements.
# shellcheck disable=SC2154,SC2086 # work: of tests/system/lib.sh

# Before the namespaces are entered: as root, where they are missing, installs Debian's packages vde2
# and qemu-system-common, which start no service.
install_peers() {
    local missing=()

    command -v vde_switch >/dev/null && command -v vde_plug2tap >/dev/null || missing+=(vde2)
    [ -x "$QEMU_HELPER" ] || missing+=(qemu-system-common)
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
