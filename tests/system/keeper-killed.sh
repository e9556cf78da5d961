#!/bin/bash
# The keeper is killed, and no service manager has copies of anything: the next start cleans what
# was left, the socket's file and the rules, also those to tables that it does not open itself.
# Rules of others stay.
. "$(dirname "$0")/lib.sh"

# rules [-6]: those with our mark, as "IIF TABLE".
rules() {
    ip "${@:--4}" -d mrule | awk '/proto 78/ { for (i = 1; i < NF; i++) {
        if ($i == "iif") iif = $(i + 1); if ($i == "lookup") print iif, $(i + 1) } }' | sort | xargs
}

kill_keeper() {
    local keeper broker

    keeper=$(status_of keeper.pid) broker=$(status_of broker.pid)
    kill -KILL "$keeper"
    wait "$daemon" || true
    daemon=
    within 5 "the broker ends with its keeper" [ ! -e "/proc/$broker" ]
    [ -S $socket ] || fail "the socket's file is gone, although nobody could remove it"
}

add_routes() {
    nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null
    nb mfc add --group 239.1.1.1 --iif d1 --oifs lo --table 100 >/dev/null
    nb mfc add --group 239.1.1.1 --iif d2 --oifs lo --table 999999999 >/dev/null
    nb mfc add --group ff0e::1 --iif d1 --oifs lo --table 100 >/dev/null
}

calm_kernel
ip link add d1 type veth peer name d2
ip link set d1 up
ip link set d2 up
start_daemon
add_routes
kill_keeper
equal "the rules that are left" "d1 100 d2 999999999" "$(rules)"
equal "the rules of IPv6 that are left" "d1 100" "$(rules -6)"

# An administrator's rule, and one of another netbrokerd, which has the table.
"${as_daemon[@]}" python3 -c 'import signal, socket, struct
owner = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
owner.setsockopt(socket.IPPROTO_IP, 209, struct.pack("I", 300))  # MRT_TABLE
owner.setsockopt(socket.IPPROTO_IP, 200, 1)  # MRT_INIT
print("owns", flush=True)
signal.pause()' >$work/owner &
within 10 "another owner of table 300" grep -q owns $work/owner
priority=$(ip -d mrule | sed -n 's/^\([0-9]*\):.*proto 78.*/\1/p' | head -n 1)
ip mrule add iif lo lookup 300 priority "$priority" protocol 78
ip mrule add iif lo lookup 100 priority 77

# In whatever tables it may use itself.
printf '[service]\ntables = default\n' >$work/netbrokerd.conf
start_daemon --config $work/netbrokerd.conf
equal "our rules" "lo 300" "$(rules)"
equal "our rules of IPv6" "" "$(rules -6)"
contains "the administrator's rule" "77:" "$(ip mrule)"
contains "the log" "deleted the rules that led to the ipv6 multicast table 100" \
    "$(cat $work/daemon.log)"
equal "routes" 0 "$(status_of mroute.routes)"
stop_daemon

# Killed and started at once, as often as somebody likes.
start_daemon
for _ in 1 2 3; do
    add_routes
    kill -KILL "$(status_of keeper.pid)"
    wait "$daemon" || true
    start_daemon
    equal "our rules" "lo 300" "$(rules)"
    equal "our rules of IPv6" "" "$(rules -6)"
done
add_routes
check_agreement
stop_daemon
equal "our rules after a clean end" "lo 300" "$(rules)"
