#!/bin/bash
# Taps of an ordinary user, in the kernel: frames go both ways, name and address stay the same, and
# interface and lease end together, whoever is killed.
. "$(dirname "$0")/lib.sh"

need_tun
make_users

cat >$work/netbrokerd.conf <<EOF
[service]
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
    as member python3 $work/build/tap.py guest 192.168.7.2 "name=\"$1\"" "${@:2}" \
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

serve

# Frames both ways; a killed client leaves nothing; the next has the same name and address.
guest nb-a 'hosts=["192.168.7.1/24"]'
mac=$(cut -d ' ' -f 2 $work/nb-a.out)
pings "the first time"
equal "the taps" nb-a "$(taps)"
contains "the list" "member  open" "$(nb tap list | tr -s ' ' | sed 's/ /  /g')"
equal "the address in the kernel" "$mac" "$(cat /sys/class/net/nb-a/address)"
equal "IPv6 on it" "" "$(ip -6 address show dev nb-a)"
end_guest nb-a
within 10 "nothing is left" nothing_is_left
guest nb-a 'hosts=["192.168.7.1/24"]'
equal "the address of the next" "$mac" "$(cut -d ' ' -f 2 $work/nb-a.out)"
pings "the second time"

# Nobody else closes it, or has its name.
denied "a stranger" nb_as stranger tap close nb-a
equal "the name is taken" "netbroker: You have the tap" \
    "$(nb_as member tap open nb-a 2>&1 | cut -c 1-27 || true)"

# The broker is killed: the ping goes on, and the lease is there.
ping -i 0.05 -q -w 20 192.168.7.2 >$work/ping &
ping=$!
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "the taps after the broker" nb-a "$(taps)"
equal "the leases after the broker" 1 "$(leases)"
kill -INT $ping
wait $ping || true
contains "the ping" " 0% packet loss" "$(cat $work/ping)"

# Its user closes it: the holder learns of that.
nb_as member tap close nb-a
within 10 "the guest is told" grep -q "closed: EBADFD" $work/nb-a.err
within 10 "nothing is left" nothing_is_left

# A command that holds one says so when it is closed.
nb_as member tap open nb-c >$work/held 2>&1 &
holder=$!
within 10 "the command holds it" grep -q "until this command ends" $work/held
nb_as member tap close nb-c
status=0
wait $holder || status=$?
equal "exit status of who held it" 1 $status
contains "its last word" "tap nb-c is closed" "$(tail -n 1 $work/held)"

# A bridge: its port is there before the descriptor is, and again when the bridge was made anew.
make_bridge() {
    ip link add br0 type bridge
    ip address add 192.168.7.1/24 dev br0
    ip link set br0 up
}

port_of() {
    [ "$(ip -o link show master "$1" 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/')" = "$2" ]
}

within 10 "nothing is left" nothing_is_left
make_bridge
guest nb-b 'bridge="br0"'
port_of br0 nb-b || fail "nb-b is no port of br0"
pings "behind a bridge"
ip link del br0
within 5 "it waits" grep -q waiting <(json '{"action": "SHOW_TAP"}')
make_bridge
within 10 "it is a port again" port_of br0 nb-b
pings "behind the bridge that was made anew"
end_guest nb-b
within 10 "nothing is left" nothing_is_left
ip link del br0

# A persistent one: its user opens it by its name, and nobody else does.
nb_as member tap open nb-p --persistent
equal "the devices" nb-p "$(devices)"
equal "its owner" 3001 "$(cat /sys/class/net/nb-p/owner)"
kill -KILL "$(broker)"
restarts_expected=2
within 10 "the next broker" nb ping
equal "the taps after the broker" nb-p "$(taps)"
nb_as member tap close nb-p
within 10 "nothing is left" nothing_is_left

# A thousand leave nothing, also no descriptor.
before=$(ls "/proc/$(broker)/fd" | wc -l)
echo "opened and closed: $(as member python3 $work/build/tap.py storm 1000)"
within 10 "nothing is left" nothing_is_left
equal "leases" 0 "$(leases)"
at_most "descriptors of the broker" $((before + 2)) "$(ls "/proc/$(broker)/fd" | wc -l)"
