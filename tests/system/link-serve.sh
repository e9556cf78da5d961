#!/bin/bash
# A link carries frames between a tap and its clients: as they are, to each that reads, whatever
# others do, and for as long as the tap is there.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/link-lib.sh"

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

station= # set by the next line
new_namespace station

# --- A station behind a u16le stream ------------------------------------------------------------

serve main nb-a 10.9.0.1/24 --listen $work/s --stats 0.1 --pcap $work/s.pcap
equal "the socket's mode" "600" "$(stat -c %a $work/s)"
station_joins
pings 50 0.005 "a station"
station_leaves
station_joins
pings 20 0.005 "a station that came again"
contains "what is told of one that left" '"why":"it closed the connection"' "$(cat $work/main.out)"

# --- Neighbours ---------------------------------------------------------------------------------

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

# --- Paths --------------------------------------------------------------------------------------

python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$work/s')" # nobody is there
serve main nb-a 10.9.0.1/24 --listen $work/s --mode 0660
equal "the socket's mode" "660" "$(stat -c %a $work/s)"
python3 "$peer" tap nb-b 10.8.0.1/24 -- "$build/client/netbroker" link serve --tap-fd '{fd}' \
    --listen $work/s 2>$work/err && fail "two links at a path"
contains "a path that has a server" "another program serves at $work/s" "$(cat $work/err)"
equal "the first one" "$(mac_is)" "$(python3 "$peer" arp u16le $work/s 10.9.0.1)"
stop main
