# shellcheck shell=bash
# The ground under every system test: bash, sourced first.
#
# A test runs in network, mount and process namespaces of its own, with or without root. Without,
# it keeps its user id and the daemon starts as a service manager would start it: unprivileged,
# with the two capabilities it needs. Whatever happens to a test, its namespaces end with it, and
# so do its processes, interfaces, routes and files.
#
#     sender                router (the script's own namespace)         receiver 1, receiver 2
#     s0 10.1.0.2     ----  r0 10.1.0.1   r1 10.2.0.1  ----  d1 10.2.0.2
#        fd00:1::2             fd00:1::1     fd00:2::1          fd00:2::2
#                                         r2 10.3.0.1  ----------------------  d2 10.3.0.2
#                                            fd00:3::1                            fd00:3::2
set -Eeuo pipefail
trap 'echo "FAILED: ${BASH_SOURCE[0]}, line $LINENO: $BASH_COMMAND" >&2' ERR

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${NB_BUILD:-$tests/../../build}
work=/run/netbroker-test # of the test's own /run
socket=/run/netbroker/netbroker.sock
umask 022 # the daemon uses no file that others may write
export PATH=/usr/sbin:/usr/bin:/sbin:/bin NETBROKER_SOCKET=$socket
# A process that hides itself from debuggers cannot look for its own leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

skip() {
    echo "skipped: $*"
    exit 77
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# --- Namespaces -------------------------------------------------------------------------------

need_root() {
    [ "$(id -u)" = 0 ] || skip "needs root: $*"
}

as_daemon=()

enter_namespaces() {
    local flags=(--net --mount --pid --fork --kill-child --mount-proc)

    if [ "$(id -u)" != 0 ]; then
        flags+=(--user --map-current-user --keep-caps)
        as_daemon=(setpriv "--inh-caps=-all,+net_raw,+net_admin"
            "--ambient-caps=-all,+net_raw,+net_admin")
    fi
    if [ -z "${NB_INSIDE:-}" ]; then
        unshare "${flags[@]}" true 2>/dev/null || skip "namespaces cannot be made here"
        NB_INSIDE=1 exec unshare "${flags[@]}" bash "$0" "$@"
    fi
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -m 755 "$work" /run/netbroker
    mkdir -m 1777 "$work/state"
    # What is configured on this machine is not what is tested.
    [ ! -d /etc/netbroker ] || mount -t tmpfs -o mode=755 tmpfs /etc/netbroker
    trap 'end_test $?' EXIT
    ip link set lo up
    [ "$(id -u)" != 0 ] || have_user
}

# The device of taps, as udev(7) makes it: everybody may open it. A bare devtmpfs leaves it to root.
need_tun() {
    local tun=$work/tun

    if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ] || [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
        [ -e /dev/net/tun ] || skip "this kernel has no /dev/net/tun (modprobe tun)"
        mknod -m 666 $tun c 10 200 2>/dev/null || skip "/dev/net/tun is for root alone here"
        mount --bind $tun /dev/net/tun
    fi
    (: <>/dev/net/tun) 2>/dev/null || skip "/dev/net/tun cannot be opened here"
}

# Root's service runs as a user of its own; where the machine has none, this test does.
have_user() {
    local file

    id -u netbroker >/dev/null 2>&1 && return
    for file in passwd group; do
        cp /etc/$file $work/own-$file
        chmod 644 $work/own-$file
    done
    echo "netbroker:x:3000:3000::/:/bin/false" >>$work/own-passwd
    echo "netbroker:x:3000:" >>$work/own-group
    for file in passwd group; do
        mount --bind $work/own-$file /etc/$file
    done
}

# Makes a network namespace of this name. A sleeping process holds it; it ends with the test.
new_namespace() {
    local -n holder=$1

    unshare --net sleep infinity &
    holder=$!
    within 10 "namespace $1" namespace_differs "$holder"
    inside "$1" ip link set lo up
}

namespace_differs() {
    [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
        [ "$(cat "/proc/$1/comm")" = sleep ]
}

# inside NAMESPACE COMMAND...
inside() {
    nsenter --target "${!1}" --net -- "${@:2}"
}

# Makes r$1 here and its other end $3 in the namespace $2.
connect() {
    local number=$1 namespace=$2 other=$3 subnet=$(($1 + 1))

    ip link add "r$number" type veth peer name "$other" netns "${!namespace}"
    ip address add "10.$subnet.0.1/24" dev "r$number"
    ip address add "fd00:$subnet::1/64" dev "r$number" nodad
    ip link set "r$number" up
    inside "$namespace" ip address add "10.$subnet.0.2/24" dev "$other"
    inside "$namespace" ip address add "fd00:$subnet::2/64" dev "$other" nodad
    inside "$namespace" ip link set "$other" up
}

# Sources are checked by no routing table, and IPv6 addresses can be used at once.
calm_kernel() {
    local file

    for file in /proc/sys/net/ipv4/conf/{all,default}/rp_filter \
        /proc/sys/net/ipv6/conf/{all,default}/accept_dad; do
        echo 0 >"$file"
    done
}

make_topology() {
    calm_kernel
    new_namespace sender
    new_namespace receiver1
    new_namespace receiver2
    for namespace in sender receiver1 receiver2; do
        inside $namespace bash -c "$(declare -f calm_kernel); calm_kernel"
    done
    connect 0 sender s0
    connect 1 receiver1 d1
    connect 2 receiver2 d2
    within 10 "the links have a carrier" links_run
}

# IPv6 sends nothing before the kernel has noticed the carrier.
links_run() {
    local link

    for link in r0 r1 r2; do
        ip -o link show "$link" | grep -q LOWER_UP || return 1
        ip -6 route show table local dev "$link" | grep -q multicast || return 1
    done
    inside sender ip -6 route show table local dev s0 | grep -q multicast
}

# As many changes of an interface as overrun a socket's buffer of 212,992 bytes several times.
overrun() {
    local i

    ip link add noise type veth peer name noise-peer
    for ((i = 0; i < 3000; i++)); do
        echo "link set noise up"
        echo "link set noise down"
    done | ip -batch -
    ip link delete noise
}

# --- Waiting and comparing --------------------------------------------------------------------

# within SECONDS WHAT COMMAND...: runs the command until it succeeds.
within() {
    local end=$((SECONDS + $1)) what=$2

    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $end ] || fail "$what: not in time ($*)"
        sleep 0.02
    done
}

# passes CHECK...: whether a check that would end the test finds nothing, to wait for that
passes() {
    ("$@")
}

# equal WHAT EXPECTED SEEN
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', saw '$3'"
}

# at_most WHAT LIMIT SEEN, of whole numbers
at_most() {
    [ "$3" -le "$2" ] || fail "$1: expected at most $2, saw $3"
}

# contains WHAT PART WHOLE
contains() {
    [[ "$3" == *"$2"* ]] || fail "$1: expected '$2' in '$3'"
}

now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# --- Users ------------------------------------------------------------------------------------

# Three users of the test's own /etc: a member of the group netbroker, an operator, and a stranger.
# The program is copied to where they can run it.
make_users() {
    local id=3001 user

    need_root "to become other users"
    cp /etc/passwd $work/passwd
    cp /etc/group $work/group
    sed -i '/^netbroker:/d' $work/passwd $work/group
    echo "netbroker:x:3000:3000::/:/bin/false" >>$work/passwd
    echo "netbroker:x:3000:member" >>$work/group
    for user in member operator stranger; do
        echo "$user:x:$id:$id::/:/bin/false" >>$work/passwd
        echo "$user:x:$id:" >>$work/group
        id=$((id + 1))
    done
    chmod 644 $work/passwd $work/group
    mount --bind $work/passwd /etc/passwd
    mount --bind $work/group /etc/group
    mkdir -p $work/build/client
    cp "$build/client/netbroker" $work/build/client
    cp "$tests"/*.py $work/build
    chmod -R a+rX $work/build
}

# as USER COMMAND...
as() {
    setpriv --reuid "$1" --regid "$1" --init-groups "${@:2}"
}

# nb_as USER ARGUMENT...: the command, as this user.
nb_as() {
    as "$1" $work/build/client/netbroker "${@:2}"
}

# denied WHAT COMMAND...: the service says no.
denied() {
    local status=0

    "${@:2}" >$work/denied 2>&1 || status=$?
    equal "exit status of $1" 1 $status
    contains "the answer to $1" "may not do" "$(cat $work/denied)"
}

# --- The daemon -------------------------------------------------------------------------------

daemon=
restarts_expected=0 # of the broker, by the test's end

# start_daemon OPTION...: returns when it answers.
start_daemon() {
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground --socket $socket \
        --log-level debug "$@" 2>>$work/daemon.log &
    daemon=$!
    wait_for_daemon
}

# The same under a service manager, which keeps a diary in $work/notes.
start_managed() {
    start_managed_program "$build/daemon/netbrokerd" "$@"
}

start_managed_program() {
    python3 "$tests/manager.py" $work/notes $socket "${as_daemon[@]}" "$1" --foreground \
        --log-level debug "${@:2}" 2>>$work/daemon.log &
    daemon=$!
    wait_for_daemon
}

wait_for_daemon() {
    within 20 "netbrokerd serves" daemon_answers_or_ended
    [ -e "/proc/$daemon" ] || fail "netbrokerd ended"
}

daemon_answers_or_ended() {
    [ ! -e "/proc/$daemon" ] || nb ping
}

# start_for_everybody LIMIT...: a service in which each user may do everything, with these limits,
# e.g. "connections = 40".
start_for_everybody() {
    printf '%s\n' "[limits]" "$@" >$work/limits.conf
    printf '%s\n' "[allow all]" "everyone = yes" "verbs = *" >$work/policy.conf
    start_daemon --config $work/limits.conf --policy $work/policy.conf
    chmod 666 $socket
}

stop_daemon() {
    local status=0

    kill -TERM "$daemon"
    wait "$daemon" || status=$?
    daemon=
    equal "netbrokerd's exit status" 0 $status
}

nb() {
    "$build/client/netbroker" "$@"
}

# json REQUEST: prints the reply.
json() {
    python3 "$tests/protocol.py" request "$1"
}

# member PATH: reads JSON and prints what is there, e.g. payload.mroute.routes or payload.vifs.0.
member() {
    python3 "$tests/protocol.py" member "$1"
}

# status_of PATH, e.g. mroute.kernel_writes
status_of() {
    json '{"action": "STATUS"}' | member "payload.$1"
}

# refused CODE REQUEST: the request fails with this code, and nothing changes by it.
refused() {
    local before reply

    before=$(kernel_state)
    reply=$(json "$2")
    equal "the answer to $2" "error $1" "$(member status <<<"$reply") $(member code <<<"$reply")"
    equal "the kernel's routes after $2" "$before" "$(kernel_state)"
}

# All of it, but not the counters.
kernel_state() {
    ip mroute show table all
    ip -6 mroute show table all
    cat /proc/net/ip_mr_vif /proc/net/ip6_mr_vif | awk '{print $1, $2}'
}

# route_is STATE GROUP, of the only route of this group
route_is() {
    [ "$(nb --json mfc show --group "$2" | member mfc_rules.0.state)" = "$1" ]
}

# What the kernel holds is what the service says that it holds.
check_agreement() {
    python3 "$tests/protocol.py" agree
}

check_log() {
    if grep -E "AddressSanitizer|runtime error|LeakSanitizer" $work/daemon.log; then
        fail "a sanitizer complained"
    fi
}

end_test() {
    local status=$1

    trap - EXIT
    if [ "$status" = 0 ]; then
        (check_end) || status=1
        if [ -n "$daemon" ]; then
            kill -TERM "$daemon"
            wait "$daemon" || status=1
        fi
    fi
    if [ "$status" != 0 ] && [ "$status" != 77 ]; then
        echo "--- the daemon's log:" >&2
        tail -n 40 $work/daemon.log >&2 || true
        echo "--- the kernel's routes:" >&2
        kernel_state 2>&1 | head -n 40 >&2 || true
    fi
    exit "$status"
}

check_end() {
    if [ -n "$daemon" ]; then
        check_agreement
        equal "restarts of the broker" $restarts_expected "$(status_of broker_restarts)"
    fi
    [ ! -e $work/daemon.log ] || check_log
}

# --- Traffic ----------------------------------------------------------------------------------

# receive NAME NAMESPACE INTERFACE GROUP EXPECTED [SECONDS [GROUPS]]: returns when the group is joined,
# or when packets of so many groups are counted, from GROUP on.
declare -A receivers
receive() {
    rm -f "$work/$1.received" # what an earlier one wrote there says nothing of this one
    nsenter --target "${!2}" --net -- "$build/tests/system/mcreceive" "$3" "$4" "$5" "${6:-20}" \
        ${7:+"$7"} >"$work/$1.received" &
    receivers[$1]=$!
    within 10 "$1 joins $4" grep -q joined "$work/$1.received"
}

# send GROUP COUNT [PACKETS_A_SECOND [TTL [GROUPS]]]: to one group, or to so many in turn.
send() {
    send_from sender s0 "$@"
}

# send_from NAMESPACE INTERFACE GROUP COUNT [PACKETS_A_SECOND [TTL [GROUPS]]]
send_from() {
    inside "$1" "$build/tests/system/mcsend" "$2" "$3" "$4" "${5:-1000}" "${6:-8}" \
        ${7:+"$7"} >/dev/null || fail "mcsend: not all packets could be sent"
}

# reaches GROUP COUNT EXPECTED FROM INTERFACE TO INTERFACE: so many of the packets that are sent in
# the namespace FROM arrive in the namespace TO.
reaches() {
    receive reached "$6" "$7" "$1" "$2"
    send_from "$4" "$5" "$1" "$2"
    if [ "$3" -lt "$2" ]; then
        sleep 0.2 # for packets that should not come
        stop_receiver reached
    fi
    contains "packets of $1 from $5 to $7" "received $3 lost" "$(result reached)"
    contains "packets of $1 from $5 to $7" "duplicates 0" "$(grep received "$work/reached.received")"
}

# result NAME: waits for the receiver, and prints e.g. "received 10 lost 0 duplicates 0 gap 0".
result() {
    while [ -e "/proc/${receivers[$1]}" ] && ! grep -q received "$work/$1.received"; do
        sleep 0.02
    done
    tail -n 1 "$work/$1.received"
}

# stop_receiver NAME: it counts what has arrived by now.
stop_receiver() {
    kill -TERM "${receivers[$1]}" 2>/dev/null || true
}

# flow GROUP COUNT BEHIND_R1 BEHIND_R2 [TTL]: so many of the packets sent must arrive.
flow() {
    local group=$1 count=$2 number expected

    receive "receiver1" receiver1 d1 "$group" "$count"
    receive "receiver2" receiver2 d2 "$group" "$count"
    send "$group" "$count" 1000 "${5:-8}"
    for number in 1 2; do
        expected=$3
        [ $number = 1 ] || expected=$4
        if [ "$expected" -lt "$count" ]; then
            sleep 0.2 # for packets that should not come
            stop_receiver receiver$number
        fi
        contains "packets of $group behind r$number" "received $expected lost" \
            "$(result receiver$number)"
        contains "packets of $group behind r$number" "duplicates 0" "$(result receiver$number)"
    done
}

enter_namespaces "$@"
