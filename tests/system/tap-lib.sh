# shellcheck shell=bash
# What the tests of taps share: a service in which the members of a group may open them, and guests
# at their ends. Sourced behind lib.sh.
# shellcheck disable=SC2154,SC2086 # work, socket: of lib.sh

need_tun
make_users

cat >$work/netbrokerd.conf <<EOF
[service]
tap-spares = ${spares:-0}
tap-networks = 192.168.7.0/24
tap-bridges = br0
EOF
cat >$work/policy.conf <<EOF
[allow members to open taps]
group = netbroker
verbs = tap.*
EOF

serve() {
    start_managed --config $work/netbrokerd.conf --policy $work/policy.conf
    chmod 666 $socket
}

broker() {
    status_of broker.pid
}

# guest NAME FIELD=VALUE...: a program of member's in the background, at 192.168.7.2.
declare -A guests
guest() {
    rm -f "$work/$1.out" # of another one of this name
    setpriv --reuid member --regid member --init-groups \
        python3 $work/build/tap.py guest 192.168.7.2 "name=\"$1\"" "${@:2}" \
        >$work/"$1".out 2>$work/"$1".err &
    guests[$1]=$!
    within 10 "$1 is open" grep -q "^$1 " $work/"$1".out
}

end_guest() {
    kill -"${2:-KILL}" "${guests[$1]}"
    wait "${guests[$1]}" 2>/dev/null || true
}

# taps: the names of those that the service has; devices: those that the kernel has.
taps() {
    json '{"action": "SHOW_TAP"}' | python3 -c '
import json, sys
print(*(tap["name"] for tap in json.load(sys.stdin)["payload"]["taps"]))'
}

devices() {
    ip -o link show type tun | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort | xargs
}

nothing_is_left() {
    [ -z "$(taps)" ] && [ -z "$(devices)" ]
}

leases() {
    json '{"action": "LEASES"}' | python3 -c '
import json, sys
print(len(json.load(sys.stdin)["payload"]["leases"]))'
}

pings() {
    ping -c 3 -i 0.05 -W 2 -q 192.168.7.2 >/dev/null || fail "no answer from the guest: $1"
}
