# shellcheck shell=bash
# shellcheck disable=SC2034,SC2054,SC2206 # scripts use what is set here; options have commas
#
# The ground under the tests with real emulators: bash, sourced first. An ordinary user starts each
# emulator; its guest pings the host over a link of netbroker's, three times.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"

emulators=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
host=10.77.0.1 # of the link's end here
home=$work/home # of the user: sockets, and what emulators write
netbroker=$work/netbroker

# need_program PROGRAM PACKAGE
need_program() {
    command -v "$1" >/dev/null || skip "no $1; Debian's package $2 has it"
}

# need_image FILE: a copy that everybody may read, whatever folder the build is in
need_image() {
    [ -e "$build/emulators/$1" ] || skip "no $1; './run emulators' makes it"
    cp "$build/emulators/$1" $work
    chmod 644 "$work/$1"
}

# The kernel checks its timer against a clock, which a busy machine without KVM fails.
#
# need_qemu [ADDRESS HOST]: its command line, but for its link: a -netdev of the name n0.
need_qemu() {
    need_program qemu-system-x86_64 qemu-system-x86
    need_image vmlinuz
    need_image guest.initrd
    kernel_words="console=ttyS0 quiet no_timer_check panic=-1"
    kernel_words+=" address=${1:-10.77.0.2/24} host=${2:-$host}"
    qemu=(qemu-system-x86_64 -accel tcg -m 128 -nodefaults -display none -no-reboot -serial stdio
        -kernel $work/vmlinuz -initrd $work/guest.initrd -append "$kernel_words"
        -device virtio-net-pci,netdev=n0)
}

# need_uml [ADDRESS HOST]: the command line of User-mode Linux, but for its link.
need_uml() {
    need_program linux.uml user-mode-linux
    [ ! -e "$build/emulators/no-uml" ] ||
        skip "User-mode Linux cannot run on this processor: $(cat "$build/emulators/no-uml")"
    need_image guest.initrd
    uml=(linux.uml mem=64M initrd=$work/guest.initrd con=null con0=fd:0,fd:1 quiet panic=-1
        "address=${1:-10.77.0.2/24}" "host=${2:-$host}")
}

# be_user: $home, and what an ordinary user is.
be_user() {
    cp "$build/client/netbroker" $netbroker
    chmod 755 $netbroker
    mkdir $home
    user=(setpriv "--inh-caps=-all" "--ambient-caps=-all")
    if [ "$(id -u)" = 0 ]; then
        user=(setpriv --reuid nobody --regid nogroup --clear-groups)
        chown nobody $home
    fi
    export HOME=$home TMPDIR=$home XDG_RUNTIME_DIR=$home
    cd $home
}

# start_links [BRIDGE]: the service, for a user who may have links.
start_links() {
    need_tun
    printf '%s\n' "[service]" "tap-spares = 0" "tap-networks = 10.77.0.0/24" \
        "tap-bridges = ${1:-br0}" >$work/links.conf
    printf '%s\n' "[allow links]" "everyone = yes" "verbs = tap.*" >$work/policy.conf
    start_daemon --config $work/links.conf --policy $work/policy.conf
    chmod 666 $socket
    be_user
}

# make_bridge: br0, with the host's address, and $helper, which gives QEMU taps in it
make_bridge() {
    ip link add br0 type bridge
    ip address add $host/24 dev br0
    ip link set br0 up
    make_helper
}

make_helper() {
    helper=$work/netbroker-bridge-helper
    cp "$build/client/netbroker-bridge-helper" $helper
    chmod 755 $helper
}

# borrow PROGRAM PACKAGE: a program that would change a machine where it is installed; this test has
# it from where `./run emulators` unpacked it.
borrow() {
    need_root "to have a root directory with $1"
    command -v "$1" >/dev/null && return
    [ -d "$build/emulators/borrowed/usr" ] || skip "no $1; './run emulators' unpacks it"
    mount -t overlay overlay -o "lowerdir=$build/emulators/borrowed/usr:/usr" /usr ||
        skip "no overlay of /usr can be made here"
    need_program "$1" "$2"
}

# hide FOLDER...: they are empty for this test, and what it leaves there goes with it
hide() {
    local folder

    for folder; do
        mount -t tmpfs -o mode=755 tmpfs "$folder"
    done
}

# guest_has_address PREFIX: what the guest's link got by DHCP begins so
guest_has_address() {
    contains "the address that the guest has" " and $1" "$(grep -a '^guest: .* has ' $work/guest.log)"
}

# as_user COMMAND...
as_user() {
    "${user[@]}" "$@"
}

# serve_link OPTION...: a link whose end here has the address $host. It ends with the test.
serve_link() {
    relay --hosts $host/24 "$@"
}

# relay OPTION...: returns when it serves.
relay() {
    "${user[@]}" $netbroker link serve "$@" >$work/link.log 2>&1 &
    link=$!
    [[ "$*" != *"--listen link.sock"* ]] || is_there link.sock
}

# is_there SOCKET
is_there() {
    within 30 "$1" test -S "$1"
}

# guest_pings COMMAND...: the user starts it, and its guest pings.
guest_pings() {
    local status=0

    timeout 300 "${user[@]}" "$@" </dev/null >$work/guest.log 2>&1 || status=$?
    has_pinged $work/guest.log
    equal "exit status of $1" 0 $status
}

# has_pinged FILE: what the guest and its link said.
has_pinged() {
    tr -d '\r' <"$1" | grep -v '^$'
    [ ! -e $work/link.log ] || sed 's/^/link: /' $work/link.log
    contains "what the guest says" "3 packets transmitted, 3 packets received" "$(cat "$1")"
}

# end_link: with the relay, the interface goes.
end_link() {
    kill -TERM "$link"
    wait "$link" || fail "the relay's exit status: $?"
    within 10 "the interface is gone" no_tap
}

no_tap() {
    [ -z "$(ip -o link show type tun)" ]
}
