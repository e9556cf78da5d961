#!/bin/bash
# The command line that Dolphin's users know, for an ordinary user, with the policy and the
# configuration that are installed: what plays Dolphin pings the host, in each way of sending, also
# while broker and keeper are killed, and again after others have left.
. "$(dirname "$0")/lib.sh"

place=$work/home/dolphin-tap
host=192.168.0.5

# serve OPTION...: in a member's own process
serve() {
    setpriv --reuid member --regid member --init-groups \
        $work/build/client/netbroker tapserver "$@" >$work/tapserver.log 2>&1 &
    server=$!
    within 10 "tapserver serves" grep -q "is linked to" $work/tapserver.log
}

# end_server [STATUS]: and with it, the interface.
end_server() {
    local status=0

    kill -TERM $server
    wait $server || status=$?
    equal "exit status of tapserver" 0 $status
    within 10 "the interface is gone" no_tap
}

no_tap() {
    [ -z "$(ip -o link show type tun)" ]
}

# dolphin PLACE NUMBER WAY UNTIL: a client with the address .NUMBER
dolphin() {
    as member python3 $work/build/dolphin.py "$1" "192.168.0.$2" $host "$3" "$4"
}

# pings PLACE NUMBER WAY COUNT
pings() {
    equal "pings of a client ($3)" "begun answered $4 of $4" "$(dolphin "$@" | xargs)"
}

begins() {
    grep -q begun "$work/$1.pings"
}

is_killed() {
    [ ! -e "/proc/$1" ] && nb ping
}

# kill_process NAME: another takes its place.
kill_process() {
    local pid

    pid=$(status_of "$1.pid")
    kill -KILL "$pid"
    within 10 "another $1 serves" is_killed "$pid"
}

need_root "to become other users"
need_tun
make_users
mkdir -m 755 $work/home
chown member $work/home
# The user that the service runs as can read them here, wherever the sources are.
shipped=$work/shipped
mkdir -m 755 $shipped
cp -r "$tests/../../systemd/." $shipped
chmod -R a+rX $shipped
start_managed --config "$shipped/netbrokerd.conf" --policy "$shipped/policy.conf" \
    --state $work/state/netbroker
chgrp netbroker $socket
chmod 660 $socket

serve --listen=$place --use-framed-protocol --ip-address=$host
equal "mode of the socket" "srw------- member" "$(stat -c '%A %U' $place)"
contains "what the host has" "inet $host/24" "$(ip -o address show)"
pings $place 20 two 50
pings $place 20 bytes 20 # after another one has left

# Two at a time, and whoever serves them is killed meanwhile.
for number in 21 22; do
    dolphin $place $number two $work/enough >$work/$number.pings &
    clients[number]=$!
done
for number in 21 22; do
    within 10 "client $number begins" begins $number
done
kill_process broker
kill_process keeper
mac=$(nb --json tap list | member taps.0.mac)
touch $work/enough
for number in 21 22; do
    wait "${clients[number]}" || fail "client $number: $(cat $work/$number.pings)"
    cat $work/$number.pings
done
restarts_expected=$(status_of broker_restarts)

# A client that sends from the host's address gets nothing that is for the host.
as member python3 $work/build/dolphin.py $place "$mac" $host thief $work/caught >$work/thief.pings &
thief=$!
within 10 "the thief begins" begins thief
pings $place 26 two 100
touch $work/caught
wait $thief

# The tap is closed: the server says so, and ends.
nb tap close nb-0
status=0
wait $server || status=$?
equal "exit status of tapserver without its tap" 1 $status
contains "what it says" "tap" "$(tail -n 1 $work/tapserver.log)"
[ ! -e $place ] || fail "the socket is left"
within 10 "the interface is gone" no_tap

# The same place has the same address again; who may connect, and what means nothing here.
serve --listen=$place --listen=127.0.0.1:5000 --ip-address=$host --mode 660 --group netbroker \
    --metric=3 --disable-nud --io-device-number=2
equal "mode of the socket" "srw-rw---- netbroker" "$(stat -c '%A %G' $place)"
equal "the host's Ethernet address" "$mac" "$(nb --json tap list | member taps.0.mac)"
equal "notes" 3 "$(grep -c 'note: ignored: --' $work/tapserver.log)"
pings $place 23 unframed 20
pings 127.0.0.1:5000 24 unframed 20
status=0
as member $work/build/client/netbroker tapserver --listen=$place --ip-address=none \
    2>$work/second.log || status=$?
equal "exit status of a second one at the same place" 1 $status
contains "the reason" "$place" "$(cat $work/second.log)"
end_server

# Who is no member may not; and what the policy does not name nobody may have.
status=0
as member $work/build/client/netbroker tapserver --listen=$place --ip-address=10.9.9.1 \
    2>$work/second.log || status=$?
equal "exit status with an address that is not allowed" 1 $status
contains "the reason" "tap-networks" "$(cat $work/second.log)"

# What passes is shown.
serve --listen=$place --use-framed-protocol --ip-address=$host --show-data --show-size-warnings
pings $place 25 two 2
grep -q "^From tap client:" $work/tapserver.log || fail "no frame is shown"
contains "the frames" "netbroker." "$(cat $work/tapserver.log)"
contains "the warnings" "Warning: incoming frame of 60 bytes, of which its headers say 42" \
    "$(cat $work/tapserver.log)"
end_server
