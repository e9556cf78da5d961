# Sourced by the tests that run in a container that systemd booted, as root.
#
#     sender s0 10.1.0.2  ----  r0 10.1.0.1, r1 10.2.0.1  ----  d1 10.2.0.2 receiver
# shellcheck shell=bash
set -euo pipefail
exec {log}>&1
trap '[ $? = 0 ] || echo "FAILED at: $BASH_COMMAND (lines ${BASH_LINENO[*]})" >&$log' EXIT

# What a test may take otherwise: where clients connect, the stream's group, the routes that must stay.
# shellcheck disable=SC2034
socket=/run/netbroker/netbroker.sock
group=239.10.20.30
all_routes_by=nb # who asks the service for them
all_routes=

# --- Comparing --------------------------------------------------------------------------------

fail() {
    echo "FAILED: $*"
    echo "--- the journal:"
    journalctl --no-pager --output=short-precise --unit=netbrokerd.service | tail -n 60
    exit 1
}

# equal WHAT EXPECTED SEEN
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', saw '$3'"
}

# faster WHAT LIMIT_MS START_MS
faster() {
    local took=$(($(now_ms) - $3))

    echo "$1: $took ms (at most $2)"
    [ $took -le "$2" ] || fail "$1: too late"
}

now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# within SECONDS WHAT COMMAND...: runs the command until it succeeds.
within() {
    local end=$((SECONDS + $1)) what=$2

    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $end ] || fail "$what: not in time ($*)"
        sleep 0.02
    done
}

# --- The service ------------------------------------------------------------------------------

keeper() {
    systemctl show --property=MainPID --value netbrokerd
}

broker() {
    tr -d ' ' <"/proc/$(keeper)/task/$(keeper)/children"
}

# differs COMMAND PID: it prints the id of another process now.
differs() {
    local pid

    pid=$($1)
    [ -n "$pid" ] && [ "$pid" != 0 ] && [ "$pid" != "$2" ]
}

# process_member PID NAME, of /proc/PID/status
process_member() {
    awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

nb() {
    runuser -u member -- netbroker "$@"
}

routes() {
    ip mroute show | sed 's/ *State:.*//'
}

journal_says() {
    journalctl --no-pager --output=cat --unit=netbrokerd.service | grep -q "$1"
}

check_routes() {
    equal "the kernel's routes after $1" "$all_routes" "$(routes)"
    $all_routes_by mfc show | grep -q "$group" ||
        fail "after $1 the service does not know its route"
}

# --- The network ------------------------------------------------------------------------------

make_network() {
    local file

    ip netns add sender
    ip netns add receiver
    ip link add r0 type veth peer name s0 netns sender
    ip link add r1 type veth peer name d1 netns receiver
    ip address add 10.1.0.1/24 dev r0
    ip address add 10.2.0.1/24 dev r1
    ip -n sender address add 10.1.0.2/24 dev s0
    ip -n receiver address add 10.2.0.2/24 dev d1
    ip link set r0 up
    ip link set r1 up
    ip -n sender link set s0 up
    ip -n receiver link set d1 up
    for file in /proc/sys/net/ipv4/conf/{all,r0,r1}/rp_filter; do
        echo 0 >"$file"
    done
    ip netns exec receiver sh -c 'echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
        echo 0 >/proc/sys/net/ipv4/conf/d1/rp_filter'
}
