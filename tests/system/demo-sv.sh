#!/bin/bash
# Shows Sampled Values that a user publishes, captures and analyses. ./run starts it behind
# demo-frames.sh.
. "$(dirname "$0")/scene.sh"

# file NAME LINE...: of the administrator
file() {
    printf '%s\n' "${@:2}" >"$work/$1"
    sed 's/^/   | /' "$work/$1"
}

has_ended() {
    [ ! -e "/proc/$1" ] || grep -q '^State:.*zombie' "/proc/$1/status"
}

# beside COMMAND...: in the background, without any privilege; it is open when this returns.
beside() {
    echo "   \$ netbroker ${*:2} &"
    "${user[@]}" "$@" >$work/beside.out 2>$work/beside.log &
    beside=$!
    within 10 "the capture is open" is_capturing
}

is_capturing() {
    has_ended $beside || $work/netbroker capture list | grep -q "^[0-9]"
}

ended() {
    within 20 "the frames are captured" has_ended $beside
    wait $beside || fail "the command beside: $(cat $work/beside.log)"
}

home=$work/home
mkdir $home
[ "$(id -u)" != 0 ] || chown nobody $home

say "Act four: Sampled Values at 4800 Hz, published and analysed by a user without rights.

   merging unit m0 --- m1 relay"
ip link add m0 type veth peer name m1
for interface in m0 m1; do
    echo 1 >/proc/sys/net/ipv6/conf/$interface/disable_ipv6
    ip link set $interface up
done

say "1. The administrator names the interfaces, and who may do what there:"
file netbrokerd.conf "[service]" "capture-interfaces = m1" "inject-interfaces = m0"
options=(--config "$work/netbrokerd.conf")
if [ "$(id -u)" = 0 ]; then # else the user is the administrator as well
    file policy.conf "[allow Sampled Values to be seen]" "user = nobody" "verbs = raw.capture" \
        "interfaces = m1" "ethertypes = sv" "" \
        "[allow them to be sent]" "user = nobody" "verbs = raw.inject" "interfaces = m0" "ethertypes = sv"
    options+=(--policy "$work/policy.conf")
fi
start_daemon "${options[@]}"
chmod 666 $socket

say "2. A user captures on the one side, and publishes a second with a fault on the other:"
beside $work/netbroker capture -i m1 --direction in --ethertypes sv -c 4800 -w $home/fault.pcapng
as_user $work/netbroker sv publish m0 --frequency 60 --duration 1 --vlan 5 --currents 400:-20 \
    --voltages 63508 --fault-at 0.5 --fault-currents a=3000:-80 --late 0
ended
echo "   \$ tshark -r fault.pcapng -c 3"
tshark -r $home/fault.pcapng -c 3 2>/dev/null | sed 's/^/   /'
equal "frames that tshark calls malformed" "" \
    "$(tshark -r $home/fault.pcapng -Y _ws.malformed 2>/dev/null)"

say "3. What is in the file, by the analyser, which needs no service for that:"
as_user $work/netbroker sv subscribe --file $home/fault.pcapng --interval 0.4

say "The end. The namespaces, the service and its files end with this script."
