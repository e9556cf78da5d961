#!/bin/bash
# A link speaks each framing on its sockets, goes out to who listens, and keeps addresses apart.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/link-lib.sh"

# --- Framings, each on its sockets --------------------------------------------------------------

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

# --- Out to who listens, again and again --------------------------------------------------------

serve out nb-a 10.9.0.1/24 --connect $work/c --framing u32be
equal "one who listens" "answered 3" "$(python3 "$peer" serve u32be $work/c 10.9.0.1 3)"
stop out
serve out nb-a 10.9.0.1/24 --connect $work/d --datagrams --local $work/d.link
equal "one who is sent datagrams" "answered 2" "$(python3 "$peer" serve datagrams $work/d 10.9.0.1 2)"
stop out
[ ! -e $work/d.link ] || fail "the path of datagrams stays"

# --- Addresses that are another client's, or that nobody may have -------------------------------

for option in --anti-spoof --isolate; do
    serve guarded nb-a 10.9.0.1/24 --listen $work/s $option
    rm -f $work/hold.out # of the one before
    python3 "$peer" hold u16le $work/s 10.9.0.1 >$work/hold.out &
    within 10 "one who has an address" grep -q ready $work/hold.out
    expected=answered
    [ $option != --anti-spoof ] || expected=nothing
    equal "another one's address with $option" $expected "$(python3 "$peer" thief u16le $work/s 10.9.0.1)"
    stop guarded
done
serve guarded nb-a 10.9.0.1/24 --listen $work/s --allow-mac 02:00:00:00:bb:01,020000000002
equal "an address that is not allowed" nothing "$(python3 "$peer" thief u16le $work/s 10.9.0.1)"
stop guarded
serve guarded nb-a 10.9.0.1/24 --listen $work/s --allow-mac 02:00:00:00:aa:01
equal "one that is" answered "$(python3 "$peer" thief u16le $work/s 10.9.0.1)"
stop guarded

# --- Captures of who reads them, and of who does not --------------------------------------------

# captured READER...: a link whose standard output is a pipe to this reader.
captured() {
    rm -f $work/captured.err # of the one before
    python3 "$peer" tap nb-a 10.9.0.1/24 -- "$build/client/netbroker" link serve --tap-fd '{fd}' \
        --listen $work/s --pcap - > >("$@" >/dev/null) 2>$work/captured.err &
    servers[captured]=$!
    within 10 "the link that is captured" grep -q "is linked to" $work/captured.err
    equal "ARP of a link that is captured" "$(mac_is)" "$(python3 "$peer" arp u16le $work/s 10.9.0.1)"
}

is_captured() {
    [ "$(python3 "$peer" pcap $work/captured)" -ge 2 ]
}

captured tee $work/captured
within 10 "the frames are in the pipe" is_captured
stop captured
captured sleep 100
python3 "$peer" shout nb-a 2000
equal "ARP beside it" "$(mac_is)" "$(python3 "$peer" arp u16le $work/s 10.9.0.1)"
stop captured
contains "what is said of frames that nobody read" "frames were not captured" "$(cat $work/captured.err)"

# --- Mistakes -----------------------------------------------------------------------------------

# mistaken WHAT OPTION...: the command line is wrong, and is told so.
mistaken() {
    local status=0

    "$build/client/netbroker" link serve "${@:2}" 2>$work/err || status=$?
    equal "exit status of $1" 2 $status
    contains "what is said of $1" "$1" "$(cat $work/err)"
}
mistaken "where the other end is"
mistaken "--framing: it is u16le, u16be" --listen $work/s --framing u16
mistaken "--datagrams: the framing" --listen $work/s --framing u16le --datagrams
touch $work/plain
"$build/client/netbroker" link serve --no-tap --datagrams --connect $work/nobody --local $work/plain \
    2>$work/err &
link=$!
within 10 "what is said of a local path" grep -q "$work/plain is there, and is no socket" $work/err
kill $link
wait $link || fail "the link's end"
mistaken "a socket that this command inherits" --no-tap --fd 9
python3 - "$build/client/netbroker" 2>$work/err <<'END' || fail "a descriptor twice: $(cat $work/err)"
import socket, subprocess, sys
ours, theirs = socket.socketpair()
number = str(theirs.fileno())
link = [sys.argv[1], "link", "serve", "--no-tap", "--fd", number, "--fd", number]
sys.exit(subprocess.run(link, pass_fds=[theirs.fileno()]).returncode != 2)
END
contains "what is said of it" "a descriptor stands there twice" "$(cat $work/err)"
mistaken "a group of this machine" --listen $work/s --group no-such-group
mistaken "a mode such as 0660" --listen $work/s --mode rw
mistaken "--clients takes a number" --listen $work/s --clients 256
mistaken "up to 8 Ethernet addresses" --listen $work/s --allow-mac 02:00
