# Sourced by the tests that boot a system: a small Debian or Ubuntu in a container, where a script
# does the test.
#
# The system is made once, by debootstrap, of the release that this machine runs, and kept in the
# build folder (or $NB_BOOT_BASE). Each run gets a layer of memory over it and leaves nothing.
#
# A test defines install_into ROOT, which puts netbroker there, and calls boot_test with the script to
# run in the container.
# shellcheck shell=bash
set -euo pipefail

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${NB_BUILD:?the build folder}
. /etc/os-release
base=${NB_BOOT_BASE:-$build/tests/systemd/base-${VERSION_CODENAME:-none}}

skip() {
    echo "skipped: $*"
    exit 77
}

# The packages that the libraries of the service and of its command are in, as this machine has them.
library_packages() {
    local library

    ldd "$build/daemon/netbrokerd" "$build/client/netbroker" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
        dpkg-query --search "$library" "$(realpath "$library")" 2>/dev/null || true
    done | cut -d: -f1 | sort -u | grep -vx libc6
}

# Of several tests at a time, one makes it.
make_base() {
    local packages lock

    mkdir -p "$(dirname "$base")"
    exec {lock}>"$base.lock"
    flock $lock
    [ ! -d "$base" ] || return 0
    packages=$(library_packages | paste -sd,)
    rm -rf "$base.new"
    if ! debootstrap --variant=minbase --include="systemd,systemd-sysv,dbus,iproute2,$packages" \
        "$VERSION_CODENAME" "$base.new" >"$base.log" 2>&1; then
        tail -n 3 "$base.log"
        rm -rf "$base.new"
        skip "debootstrap cannot make a $VERSION_CODENAME system; see $base.log"
    fi
    mv "$base.new" "$base"
    exec {lock}>&-
}

# Without a service manager out here, the container's control groups are made below this script's, in
# the hierarchies that systemd uses, and nobody else removes them. Prints a folder for each.
control_groups() {
    local mounted below

    awk '/ - cgroup2 / || / - cgroup .*name=systemd/ { print $5 }' /proc/self/mountinfo |
        while read -r mounted; do
            case $(stat --file-system --format=%T "$mounted") in
            cgroup2fs) below=$(sed -n 's/^0:://p' /proc/self/cgroup) ;;
            *) below=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup) ;;
            esac
            echo "$mounted${below%/}/netbroker-boot-$$"
        done
}

remove_control_groups() {
    local group

    for group in $1; do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \;
    done
}

# boot INSIDE: in a mount namespace of its own, whose end is the layer's end.
boot() {
    local layer=/run/netbroker-boot root=/run/netbroker-boot/root options=(--register=no) group

    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p $layer/upper $layer/work $root
    mount -t overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" overlay $root
    install_into $root >$layer/install.log
    install "$tests/inside.sh" "$build/tests/system/mcsend" "$build/tests/system/mcreceive" \
        $root/usr/local/bin/
    install "$1" $root/usr/local/bin/boot-inside.sh
    install -m 644 "$tests/boot-inside.service" $root/etc/systemd/system/
    ln -sf /lib/systemd/system/multi-user.target $root/etc/systemd/system/default.target
    mkdir -p $root/etc/systemd/system/multi-user.target.wants
    ln -s /etc/systemd/system/boot-inside.service \
        $root/etc/systemd/system/multi-user.target.wants/
    for group in $NB_CONTROL_GROUPS; do
        echo $$ >"$group/cgroup.procs"
        options=(--register=no --keep-unit)
    done
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 300 systemd-nspawn --quiet --boot \
        --directory=$root --machine="netbroker-boot-$$" --private-network --console=pipe \
        "${options[@]}" >$layer/console.log 2>&1 </dev/null || true
    if ! cat $root/var/log/boot-inside.log; then
        echo "FAILED: the container said:"
        tail -n 30 $layer/console.log
        exit 1
    fi
    grep -qx "all passed" $root/var/log/boot-inside.log
}

# boot_test INSIDE [inside]: the second argument is that of the test's script, which this runs once
# more in the mount namespace.
boot_test() {
    if [ "${2:-}" = inside ]; then
        boot "$1"
        return
    fi
    [ "$(id -u)" = 0 ] || skip "needs root: boots a container"
    for program in debootstrap systemd-nspawn dpkg-query; do
        command -v $program >/dev/null ||
            skip "needs $program (packages debootstrap and systemd-container)"
    done
    unshare --mount true 2>/dev/null ||
        skip "needs more than this container gives: mount namespaces"
    [ -d "$base" ] || make_base
    NB_CONTROL_GROUPS=
    if [ ! -d /run/systemd/system ]; then
        NB_CONTROL_GROUPS=$(control_groups)
        trap 'remove_control_groups "$NB_CONTROL_GROUPS"' EXIT
        # shellcheck disable=SC2086 # one folder a word
        mkdir $NB_CONTROL_GROUPS 2>/dev/null ||
            skip "needs more than this container gives: control groups"
    fi
    unshare --mount --propagation=private env NB_BUILD="$build" NB_BOOT_BASE="$base" \
        NB_CONTROL_GROUPS="$NB_CONTROL_GROUPS" bash "$0" inside
}
