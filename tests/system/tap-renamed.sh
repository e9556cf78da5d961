#!/bin/bash
# Root gives lent taps other names, those of each other among them, and the broker is killed: each
# goes with its own lease, and no other one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

# call OLD NEW: while it is up, where the kernel allows that.
call() {
    ip link set "$1" name "$2" 2>/dev/null && return
    ip link set "$1" down
    ip link set "$1" name "$2"
    ip link set "$2" up
}

next_broker() {
    kill -KILL "$(broker)"
    restarts_expected=$((${restarts_expected:-0} + 1))
    within 10 "the next broker" nb ping
}

# field NAME PATH: of the tap, in the list.
field() {
    json "{\"action\": \"GET_TAP\", \"payload\": {\"name\": \"$1\"}}" | member "payload.taps.0.$2"
}

devices_are() {
    [ "$(devices)" = "$1" ]
}

serve

# --- One -----------------------------------------------------------------------------------------

guest nb-a 'hosts=["192.168.7.1/24"]'
contains "its mark" "alias netbroker nb-a" "$(ip -d link show nb-a)"
call nb-a nb-z
next_broker
equal "the taps" nb-a "$(taps)"
equal "what it is called" nb-z "$(field nb-a interface)"
contains "what tap show tells" nb-z "$(nb tap show nb-a | grep INTERFACE)"
end_guest nb-a
within 10 "nothing is left" nothing_is_left

# Renamed and back; and to a name that is none of the service's.
guest nb-a
call nb-a nb-z
next_broker
call nb-z nb-a
next_broker
equal "the taps" nb-a "$(taps)"
equal "what it is called now" "" "$(nb --json tap show nb-a | grep -o interface || true)"
call nb-a eth9
next_broker
nb_as member tap close nb-a >/dev/null
within 10 "the guest is told" grep -q "closed: EBADFD" $work/nb-a.err
within 10 "nothing is left" nothing_is_left

# --- Two, whose names are exchanged --------------------------------------------------------------

guest nb-a
guest nb-b
call nb-a nb-z
call nb-b nb-a
call nb-z nb-b
next_broker
equal "the taps" "nb-a nb-b" "$(taps | xargs -n 1 | sort | xargs)"
nb_as member tap close nb-a >/dev/null
within 10 "the guest of that is told" grep -q "closed: EBADFD" $work/nb-a.err
within 10 "the other one stays" devices_are nb-a
equal "the taps behind that" nb-b "$(taps)"
next_broker
equal "the taps of the next broker" nb-b "$(taps)"
end_guest nb-b
within 10 "nothing is left" nothing_is_left

# --- What is told --------------------------------------------------------------------------------

guest nb-c
ip link set nb-c mtu 1400 address 02:00:00:00:00:07
equal "its MTU" 1400 "$(field nb-c mtu)"
equal "its address" 02:00:00:00:00:07 "$(field nb-c mac)"
next_broker
equal "its MTU behind the broker" 1400 "$(field nb-c mtu)"
end_guest nb-c
within 10 "nothing is left" nothing_is_left
