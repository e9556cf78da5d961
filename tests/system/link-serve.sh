#!/bin/bash
# A link carries frames between a tap and its clients: as they are, to each that reads, whatever
# others do, and for as long as the tap is there.
source "$(dirname "$0")/lib.sh"
need_tun

peer=$tests/link_peer.py
declare -A servers

# serve NAME TAP ADDRESS OPTION...: a link; returns when it says that it is ready.
serve() {
    python3 "$peer" tap "$2" "$3" -- "$build/client/netbroker" --json link serve --tap-fd '{fd}' \
        "${@:4}" >"$work/$1.out" 2>"$work/$1.err" &
    servers[$1]=$!
    within 10 "the link $1" ready_or_ended "$1"
    grep -q '"event":"ready"' "$work/$1.out" || fail "the link $1: $(cat "$work/$1.err")"
}

ready_or_ended() {
    [ ! -e "/proc/${servers[$1]}" ] || grep -q '"event":"ready"' "$work/$1.out"
}

# ended NAME STATUS: it has ended with this exit status.
ended() {
    local status=0

    within 10 "the end of $1" test ! -e "/proc/${servers[$1]}/fd/0"
    wait "${servers[$1]}" || status=$?
    equal "exit status of the link $1" "$2" $status
}

stop() {
    kill -TERM "${servers[$1]}"
    ended "$1" 0
}

# counter LINK PORT MEMBER: of its last report, e.g. to.dropped
counter() {
    grep '"event":"counters"' "$work/$1.out" | grep "\"port\":$2," | tail -n 1 | member "$3"
}

pings() {
    inside station ping -q -c "$1" -i "$2" -W 5 10.9.0.1 >"$work/ping" ||
        fail "$3: $(cat "$work/ping")"
    contains "$3" " 0% packet loss" "$(cat "$work/ping")"
}

# station_joins: returns when it is there.
station_joins() {
    rm -f "$work/station.out"
    nsenter --target "$station" --net -- python3 "$peer" relay $work/s p0 10.9.0.2/24 \
        >"$work/station.out" &
    relay=$!
    within 10 "the station" grep -q ready "$work/station.out"
}

station_leaves() {
    kill "$relay"
    wait "$relay" || true
    within 10 "its tap is gone" no_tap_there
}

no_tap_there() {
    ! inside station ip link show p0
}

mac_is() {
    ip -o link show nb-a | grep -o 'link/ether [^ ]*' | cut -d ' ' -f 2
}

new_namespace station

# --- A station behind a u16le stream --------------------------------------------------------------

serve main nb-a 10.9.0.1/24 --listen $work/s --stats 0.1 --pcap $work/s.pcap
equal "the socket's mode" "600" "$(stat -c %a $work/s)"
station_joins
pings 50 0.005 "a station"
station_leaves
station_joins
pings 20 0.005 "a station that came again"
contains "what is told of one that left" '"why":"it closed the connection"' "$(cat $work/main.out)"

# --- Neighbours --------------------------------------------------------------------------------

python3 "$peer" idle $work/s >$work/idle.out &
idle=$!
within 10 "a client that does not read" grep -q ready $work/idle.out
idle_port=$(grep '"event":"attached"' $work/main.out | tail -n 1 | member port)
station_port=$(grep '"event":"attached"' $work/main.out | tail -n 2 | head -n 1 | member port)
python3 "$peer" shout nb-a 3000 &
pings 200 0.005 "beside one that does not read"
wait $!
lost() {
    [ "$(counter main "$idle_port" to.dropped)" -gt 0 ]
}
within 10 "what it does not read is counted" lost
equal "what the station lost" 0 "$(counter main "$station_port" to.dropped)"
kill $idle

equal "hostile clients" "done" "$(python3 "$peer" hostile $work/s)"
pings 50 0.005 "behind hostile clients"

# --- The tap goes down and up, and away ---------------------------------------------------------

ip link set nb-a down
python3 "$peer" hostile $work/s >/dev/null
ip link set nb-a up
pings 20 0.005 "behind a tap that was down"
status=0
"$build/client/netbroker" link serve --tap-fd 9 --listen $work/s 9<>/dev/null 2>$work/err || status=$?
equal "exit status with what is no tap" 2 $status
contains "what is said of it" "it is no tap" "$(cat $work/err)"

ip link delete nb-a
ended main 1
contains "what is said of a tap that was taken" "the tap was taken away" "$(cat $work/main.err)"
[ ! -e $work/s ] || fail "the socket stays"
frames=$(python3 "$peer" pcap $work/s.pcap)
[ "$frames" -ge 600 ] || fail "the capture has $frames frames"

# --- Paths ----------------------------------------------------------------------------------------

python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$work/s')" # nobody is there
serve main nb-a 10.9.0.1/24 --listen $work/s --mode 0660
equal "the socket's mode" "660" "$(stat -c %a $work/s)"
python3 "$peer" tap nb-b 10.8.0.1/24 -- "$build/client/netbroker" link serve --tap-fd '{fd}' \
    --listen $work/s 2>$work/err && fail "two links at a path"
contains "a path that has a server" "another program serves at $work/s" "$(cat $work/err)"
equal "the first one" "$(mac_is)" "$(python3 "$peer" arp u16le $work/s 10.9.0.1)"
stop main

# --- Framings, each on its sockets -----------------------------------------------------------------

for framing in u16le u16be u32be unframed message; do
    serve $framing nb-a 10.9.0.1/24 --listen $work/s --framing $framing
    equal "ARP by $framing" "$(mac_is)" "$(python3 "$peer" arp $framing $work/s 10.9.0.1)"
    stop $framing
done
serve datagrams nb-a 10.9.0.1/24 --listen $work/s --datagrams
equal "ARP by datagrams" "$(mac_is)" "$(python3 "$peer" arp datagrams $work/s 10.9.0.1 $work/c1)"
within 10 "its end is noticed" grep -q '"event":"detached"' $work/datagrams.out
equal "ARP by another one" "$(mac_is)" "$(python3 "$peer" arp datagrams $work/s 10.9.0.1 $work/c2)"
stop datagrams
serve tcp nb-a 10.9.0.1/24 --listen 127.0.0.1:4711
equal "ARP by TCP" "$(mac_is)" "$(python3 "$peer" arp u16le 127.0.0.1:4711 10.9.0.1)"
stop tcp

# --- Out to who listens, again and again -------------------------------------------------------------

serve out nb-a 10.9.0.1/24 --connect $work/c --framing u32be
equal "one who listens" "answered 3" "$(python3 "$peer" serve u32be $work/c 10.9.0.1 3)"
stop out
