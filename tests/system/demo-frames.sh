#!/bin/bash
# Shows frames that a user captures, and replays elsewhere. ./run starts it behind demo-links.sh.
. "$(dirname "$0")/scene.sh"

# file NAME LINE...: of the administrator
file() {
    printf '%s\n' "${@:2}" >"$work/$1"
    sed 's/^/   | /' "$work/$1"
}

# is_capturing PROCESS: or it has ended.
is_capturing() {
    has_ended "$1" || $work/netbroker capture list | grep -q "^[0-9].* open "
}

# captured IFACE FILE COMMAND...: FILE has what comes in there while the command runs, 25 frames.
captured() {
    local capture

    echo "   \$ netbroker capture -i $1 --direction in --ethertypes sv -c 25 -w $2"
    "${user[@]}" $work/netbroker capture -i "$1" --direction in --ethertypes sv -c 25 \
        -w "$home/$2" 2>$work/capture.log &
    capture=$!
    within 10 "the capture is open" is_capturing $capture
    "${@:3}" >$work/command.log
    within 10 "the frames are captured" has_ended $capture
    wait $capture || fail "the capture: $(cat $work/capture.log)"
    cat $work/command.log
    sed 's/^/   /' $work/capture.log
}

has_ended() {
    [ ! -e "/proc/$1" ] || grep -q '^State:.*zombie' "/proc/$1/status"
}

# In the VLAN 5, with the priority 4, every 20 ms.
device() {
    inside sender python3 - <<'END'
import socket, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("s0", 0))
for number in range(25):
    link.send(bytes.fromhex("010ccd04000102000000000181008005" "88ba4000003a") +
              number.to_bytes(2, "big") + bytes(48))
    time.sleep(0.02)
END
}

# A machine that is busy may be late by more than a millisecond.
replay() {
    as_user $work/netbroker replay r1 $home/device.pcapng --late 20000
}

# What is in a file, apart from the times.
frames_in() {
    tshark -r "$1" -x 2>/dev/null | grep '^[0-9a-f]'
}

is_listening() {
    grep -q "listening on" $work/tcpdump.log
}

home=$work/home
mkdir $home
[ "$(id -u)" != 0 ] || chown nobody $home

say "Act three: frames that a user without rights captures, looks at, and replays elsewhere.

   device s0 --- r0 [ this host ] r1 --- d1 another host"
make_topology

say "1. The administrator names the interfaces, and who may do what there:"
file netbrokerd.conf "[service]" "capture-interfaces = r0" "inject-interfaces = r1"
options=(--config "$work/netbrokerd.conf")
if [ "$(id -u)" = 0 ]; then # else the user is the administrator as well
    file policy.conf "[allow Sampled Values to be seen]" "user = nobody" "verbs = raw.capture" \
        "interfaces = r0" "ethertypes = sv" "" \
        "[allow them to be sent]" "user = nobody" "verbs = raw.inject" "interfaces = r1" "ethertypes = sv" \
        "source-macs = any"
    options+=(--policy "$work/policy.conf")
fi
start_daemon "${options[@]}"
chmod 666 $socket

say "2. A user captures what a device sends every 20 ms:"
captured r0 device.pcapng device
echo "   \$ tshark -r device.pcapng -c 3"
tshark -r $home/device.pcapng -c 3 2>/dev/null | sed 's/^/   /'

say "3. And replays the file elsewhere. The other host writes down what comes, by tcpdump:"
inside receiver1 tcpdump -i d1 -Z root -c 25 -w $work/other.pcap vlan 2>$work/tcpdump.log &
tcpdump=$!
within 10 "the other host listens" is_listening
replay
within 10 "the other host has them" has_ended $tcpdump
equal "what the other host got" "$(frames_in $home/device.pcapng)" "$(frames_in $work/other.pcap)"
echo "   The other host got the same 25 frames, with their tags: $(tshark -r $work/other.pcap \
    -T fields -e vlan.id -e vlan.priority 2>/dev/null | sort | uniq -c | sed 's/  */ /g')"

say "The end. The namespaces, the service and its files end with this script."
