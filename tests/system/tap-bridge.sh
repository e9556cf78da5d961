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
guest nb-b 'bridge="br0"' isolated=true
port_of br0 nb-b || fail "nb-b is no port of br0"
pings "behind a bridge"
ip link del br0
within 5 "it waits" grep -q waiting <(json '{"action": "SHOW_TAP"}')
make_bridge
within 10 "it is a port again" port_of br0 nb-b
pings "behind the bridge that was made anew"

# Others take it out, also for another bridge: it waits, and is a port of its own again.
state_is() {
    [ "$(json '{"action": "SHOW_TAP"}' | member payload.taps.0.state)" = "$1" ]
}
is_isolated() {
    ip -d link show nb-b | grep -q "isolated on"
}
ip link set nb-b nomaster
ip link set nb-b master br0 # not isolated
within 20 "it is isolated again" is_isolated
ip link set nb-b nomaster
within 5 "it waits outside" state_is waiting
within 20 "it is back" port_of br0 nb-b
within 10 "it is open" state_is open
ip link add br9 type bridge
ip link set nb-b master br9
within 5 "it waits in another bridge" state_is waiting
within 20 "it is back from there" port_of br0 nb-b
within 10 "it is open" state_is open
pings "behind the bridge that it was taken from"
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
