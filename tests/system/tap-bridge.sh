#!/bin/bash
# Taps as ports of a bridge, also of one that is made anew, and taps that last without a program.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

serve

# A bridge: its port is there before the descriptor is, and again when the bridge was made anew.
make_bridge() {
    ip link add br0 type bridge
    ip address add 192.168.7.1/24 dev br0
    ip link set br0 up
}

port_of() {
    [ "$(ip -o link show master "$1" 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/')" = "$2" ]
}

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
nb_as member tap open nb-p --persistent >/dev/null
equal "the devices" nb-p "$(devices)"
equal "its owner" member "$(ip -d -j link show nb-p | member 0.linkinfo.info_data.user)"
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "the taps after the broker" nb-p "$(taps)"
nb_as member tap close nb-p >/dev/null
within 10 "nothing is left" nothing_is_left
