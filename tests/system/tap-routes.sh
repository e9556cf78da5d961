#!/bin/bash
# Networks behind a tap, of an ordinary user: packets for them go to its holder, as long as it is there;
# and nobody takes those of another interface, or of another tap.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

cat >$work/netbrokerd.conf <<EOF
[service]
tap-networks = 192.168.7.0/24, 10.8.0.0/16
EOF

# Without the word of the carrier, which the kernel learns of later.
routes() {
    ip -4 route show dev "$1" proto static | sed 's/ linkdown//' | xargs
}

no_route() {
    [ -z "$(ip route show 10.8.1.0/24)" ]
}

# refused WHAT REASON OPTION...: who asks is told the reason.
refused() {
    local said

    said=$(nb_as member tap exec "${@:3}" -- true 2>&1) && fail "$1 is not refused"
    contains "why $1 is refused" "$2" "$said"
}

serve
# The guest has an address of the network behind the link.
setpriv --reuid member --regid member --init-groups \
    python3 $work/build/tap.py guest 10.8.1.2 'name="nb-a"' 'hosts=["192.168.7.1/24"]' \
    'routes=["10.8.1.0/24","10.8.2.7"]' >$work/nb-a.out 2>$work/nb-a.err &
guests[nb-a]=$!
within 10 "nb-a is open" grep -q "^nb-a " $work/nb-a.out
equal "its routes" "10.8.1.0/24 scope link 10.8.2.7 scope link" "$(routes nb-a)"
equal "what is told of them" '["10.8.1.0/24","10.8.2.7"]' \
    "$(nb --json tap list | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["taps"][0]["routes"], separators=(",", ":")))')"
ping -c 3 -i 0.05 -W 2 -q 10.8.1.2 >/dev/null || fail "no answer from behind the link"

# What others have.
ip link add eth7 type bridge
ip address add 10.8.3.1/24 dev eth7
ip link set eth7 up
ip route add 10.8.4.0/24 dev eth7
refused "a network of another interface" "eth7 has an address of that network" \
    --hosts 10.8.9.1/24 --routes 10.8.3.64/26
refused "a network of another tap's address" "A tap that is there has packets of 192.168.7.1/24" \
    --hosts 10.8.9.1/24 --routes 192.168.7.0/25
end_guest nb-a
within 10 "the route ends with its tap" no_route
within 10 "nothing is left" nothing_is_left
refused "a route that there is" "the host has a route to 10.8.4.0/24 already, by eth7" \
    --hosts 192.168.7.1/24 --routes 10.8.4.0/24
refused "an address of such a network" "the host has a route to 10.8.4.0/24 already, by eth7" \
    --hosts 10.8.4.1/24
refused "a network that is not allowed" "tap-networks" --hosts 192.168.7.1/24 --routes 10.0.0.0/8
refused "a route without an address" "needs an address of the host" --routes 10.8.1.0/24

# Of a persistent one they are there after a broker that was killed, and go with it.
nb_as member tap create nb-p --hosts 192.168.7.1/24 --route 10.8.1.0/24 >/dev/null
equal "the routes of a persistent one" "10.8.1.0/24 scope link" "$(routes nb-p)"
refused "a part of another tap's network" "A tap that is there has packets of 10.8.1.128/25" \
    --hosts 10.8.9.1/24 --routes 10.8.1.128/25
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "the routes after the broker" "10.8.1.0/24 scope link" "$(routes nb-p)"
refused "a part of another tap's network" "A tap that is there has packets of 10.8.1.128/25" \
    --hosts 10.8.9.1/24 --routes 10.8.1.128/25
nb_as member tap close nb-p >/dev/null
within 10 "the route ends with its tap" no_route
within 10 "nothing is left" nothing_is_left
