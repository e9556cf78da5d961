#!/bin/bash
# Shows an Ethernet link for an emulator. ./run starts it behind demo.sh.
. "$(dirname "$0")/scene.sh"

need_tun

# file NAME LINE...: of the administrator
file() {
    printf '%s\n' "${@:2}" >"$work/$1"
    sed 's/^/   | /' "$work/$1"
}

is_listening() {
    [ -S $home/dolphin-tap ] || [ ! -e /proc/$tapserver ]
}

has_gone() {
    [ -z "$(ip -o link show type tun)" ]
}

broker_is_another() {
    [ "$(status_of broker.pid)" != "$broker" ]
}

# Within a second, so that pings are on their way before and behind it.
kill_broker() {
    broker=$(status_of broker.pid)
    sleep 0.5
    kill -KILL "$broker"
    restarts_expected=1
    within 10 "there is another broker" broker_is_another
    echo "   The broker, process $broker, was killed. The new one is process $(status_of broker.pid)."
}

home=$work/home
mkdir $home
[ "$(id -u)" != 0 ] || chown nobody $home

say "Act two: an Ethernet link for an emulator, with real frames.

   emulator 192.168.0.9 --- socket --- netbroker tapserver --- tap --- this host 192.168.0.5"

say "1. The administrator lets users have links into one network, and starts the service:"
file netbrokerd.conf "[service]" "tap-networks = 192.168.0.0/24"
options=(--config "$work/netbrokerd.conf")
if [ "$(id -u)" = 0 ]; then # else the user is the administrator as well
    file policy.conf "[allow links]" "everyone = yes" "verbs = tap.*"
    options+=(--policy "$work/policy.conf")
fi
start_daemon "${options[@]}"
chmod 666 $socket

say "2. A user without any privilege asks for a link, as Dolphin wants one. The service makes the
   interface, and this command passes its frames to the socket:"
cd $home
echo '   $ netbroker tapserver --listen=dolphin-tap --use-framed-protocol --ip-address=192.168.0.5'
"${user[@]}" $work/netbroker tapserver --listen=$home/dolphin-tap --use-framed-protocol \
    --ip-address=192.168.0.5 >$work/tapserver.log 2>&1 &
tapserver=$!
within 10 "the link serves" is_listening
sed 's/^/   /' $work/tapserver.log
[ -e /proc/$tapserver ] || fail "tapserver has ended"
as_user $work/netbroker tap list

say "3. A small program plays the emulator, and pings the host 150 times. Meanwhile the broker is
   killed (kill -9), and its keeper starts another:"
"${user[@]}" python3 - dolphin-tap 192.168.0.9 192.168.0.5 150 0.01 \
    <"$tests/emulator.py" >$work/emulator.log 2>&1 &
emulator=$!
kill_broker
wait $emulator || fail "the emulator: $(cat $work/emulator.log)"
sed 's/^/   Pings: /' $work/emulator.log
as_user $work/netbroker tap list

say "4. The user ends the command, and the interface goes:"
kill -TERM $tapserver
wait $tapserver || fail "tapserver's exit status: $?"
within 10 "the interface is gone" has_gone
as_user $work/netbroker tap list

say "The end. The namespaces, the service and its files end with this script."
