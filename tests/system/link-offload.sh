#!/bin/bash
# Links with offload: super-frames go from host to host as they are, what their headers say is judged,
# and who has no offload is told so.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/link-lib.sh"

station= # set by the next line
new_namespace station

# in_station NAME OPTION...: a link of the station, whose tap is nb-b.
in_station() {
    serve_in=(nsenter --target "$station" --net --)
    serve "$1" nb-b 10.9.0.2/24 "${@:2}"
    serve_in=()
}

# streams WHAT BYTES: a TCP stream each way, each byte of which arrives.
streams() {
    rm -f $work/sink # of the one before
    python3 "$peer" sink 10.9.0.1 4711 >$work/sink &
    within 10 "a sink" grep -q ready $work/sink
    inside station python3 "$peer" source 10.9.0.1 4711 "$2" >$work/source
    wait $!
    equal "what the host had of $1" "$(cat $work/source)" "$(tail -n 1 $work/sink)"
    rm -f $work/sink
    inside station python3 "$peer" sink 10.9.0.2 4711 >$work/sink &
    within 10 "a sink" grep -q ready $work/sink
    python3 "$peer" source 10.9.0.2 4711 "$2" >$work/source
    wait $!
    equal "what the station had of $1" "$(cat $work/source)" "$(tail -n 1 $work/sink)"
}

# counter LINK PORT MEMBER: of its last report.
counter() {
    grep '"event":"counters"' "$work/$1.out" | grep "\"port\":$2," | tail -n 1 | member "$3"
}

# super_frames LINK: whether frames of its tap had more than 5,000 bytes on average.
super_frames() {
    local frames bytes

    frames=$(counter "$1" 0 from.frames) bytes=$(counter "$1" 0 from.bytes)
    [ $((bytes / frames)) -gt 5000 ] || fail "$1 had $bytes bytes in $frames frames"
}

# --- Two links, joined by each framing that can -------------------------------------------------

for framing in u32be message; do
    serve host nb-a 10.9.0.1/24 --offload --stats 1000 --framing $framing --listen $work/s --pcap $work/s.pcap
    contains "what is told" '"offload":true' "$(cat $work/host.out)"
    in_station guest --offload --stats 1000 --framing $framing --connect $work/s
    streams "a stream by $framing" 10000000
    stop guest
    stop host
    super_frames host
    for counted in oversize invalid uncarried; do
        equal "$counted of the host" 0 "$(counter host 0 from.$counted)"
        equal "$counted of the guest" 0 "$(counter guest 0 from.$counted)"
    done
    [ "$(python3 "$peer" pcap $work/s.pcap)" -gt 100 ] || fail "the capture"
    rm $work/s.pcap
done

# --- Through a switch without a tap, in different framings, beside one who forges ---------------

: >$work/middle.out
"$build/client/netbroker" --json link serve --no-tap --offload --stats 1000 --listen $work/s,framing=u32be \
    --listen $work/m,datagrams >$work/middle.out 2>$work/middle.err &
servers[middle]=$!
within 10 "the link in the middle" ready_or_ended middle
serve host nb-a 10.9.0.1/24 --offload --stats 1000 --framing u32be --connect $work/s
in_station guest --offload --datagrams --connect $work/m
python3 "$peer" forge u32be $work/s >$work/forge.out &
forger=$!
within 10 "one who forges" grep -q ready $work/forge.out
streams "a stream beside one who forges" 5000000
contains "what is told of the forger" "the offload header of a frame from $work/s is wrong" "$(cat $work/middle.out)"
port=$(grep '"event":"attached"' $work/middle.out | grep "\"pid\":$forger," | member port)
for link in host guest middle; do
    stop $link
done
super_frames host
equal "wrong frames of the forger" "8 1" \
    "$(counter middle "$port" from.invalid) $(counter middle "$port" from.oversize)"
equal "those that were passed on" 0 "$(counter middle "$port" from.frames)"
equal "those that the host's tap was given" 0 "$(counter host 0 to.dropped)"

# --- Ends that do not go together ---------------------------------------------------------------

serve host nb-a 10.9.0.1/24 --offload --framing u32be --listen $work/s
python3 "$peer" hold u32be $work/s 10.9.0.1 >/dev/null 2>&1 &
within 10 "one without offload is told of" grep -q "the other end has no offload" $work/host.out
kill $!
stop host

# refused WHAT OPTION...: with status 2, and this sentence.
refused() {
    local status=0

    "$build/client/netbroker" link serve "${@:2}" --listen $work/s 2>$work/err || status=$?
    equal "exit status with ${*:2}" 2 $status
    contains "what is said" "$1" "$(cat $work/err)"
    [ ! -e $work/s ] || fail "a socket was made"
}
refused "its framing 'u16le' cannot carry --offload" --no-tap --offload
refused "its framing 'u16be' cannot carry --offload" --no-tap --offload --framing u16be
refused "u32be and message can" --no-tap --offload --framing unframed
refused "--listen $work/t: its framing 'u16le'" --no-tap --offload --framing u32be --listen $work/t,framing=u16le
refused "slirp4netns, which --nat starts, does not know it" --nat --offload --framing message
for tap in tap offload_tap; do
    offload=() said="(IFF_VNET_HDR), which is for --offload"
    [ $tap = offload_tap ] || offload=(--offload --framing u32be) said="(no IFF_VNET_HDR)"
    python3 "$peer" $tap nb-c 10.8.0.1/24 -- "$build/client/netbroker" link serve --tap-fd '{fd}' \
        "${offload[@]}" --listen $work/s 2>$work/err && fail "a $tap is taken"
    contains "what is said of a $tap" "$said" "$(cat $work/err)"
done
