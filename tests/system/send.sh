#!/bin/bash
# What a user without rights sends arrives byte for byte, as far as the policy allows: with a narrow
# grant he needs no option, because the command asks for what the frames contain.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"

serve
group="010ccd040001 020000000001"
frame="$group 88b5 0102030405"

# Within a narrow grant.
sends 0 member send p0 --hex "$frame"
contains "the report" "1 of 1 frames sent on p0, 19 bytes." "$(cat $work/files/out)"
sends 0 member send -i p0 --hex "$frame" --count 1000 --json
equal "frames" "1000 1000" "$(report frames) $(report sent)"

# Beyond it the service says no, before anything is sent.
for other in "ffffffffffff 020000000001 88b5 01" "010ccd040001 020000000002 88b5 01" "$group 88ba 01" \
    "$group 8100 0001 88b5 01"; do
    denied "$other" nb_as member send p0 --hex "$other"
done
denied "who may not send" nb_as stranger send p0 --hex "$frame"
denied "another interface" nb_as member send p1 --hex "$frame"

# Of a stream the options say it, and what is not within is refused one by one, and explained.
replay_py make $work/files/others others
stream() {
    replay_py text $work/files/others | sends "$@"
}
stream 1 member send p0 --ethertypes 0x88b5 --destinations 01:0c:cd:04:00:01 --vlans none --json
equal "frames" "6 3" "$(report frames) $(report sent)"
equal "refused" '{"source": 3}' "$(report refused)"
contains "why" "frame 2 (60 bytes) was not sent on p0: the sender may not use its source address" \
    "$(cat $work/files/err)"
contains "what is right" "It is from 02:00:00:00:00:02: --sources names" "$(cat $work/files/err)"
equal "explanations" 1 "$(grep -c "was not sent" $work/files/err)"
stream 0 operator send p0 --sources any
sends 1 member send p0 < <(replay_py text $work/files/others 2>/dev/null)
contains "what is right" "--ethertypes, --sources, --destinations and --vlans say" "$(cat $work/files/err)"
sends 1 member send p0 --hex "ffffffffffff 020000000001 88b5 01"
equal "lines about what is known" 1 "$(wc -l <$work/files/err)"

# All kinds of frames, from a file and from text, as they are captured at the other end.
replay_py make $work/files/all all
count=$(replay_py text $work/files/all | wc -l)
if command -v tcpdump >/dev/null; then
    tcpdump -i p1 -Q in --time-stamp-precision=nano -c "$count" -w $work/files/theirs -Z root \
        2>$work/tcpdump.err &
    tcpdump=$!
    within 10 "tcpdump listens" grep -q "listening on" $work/tcpdump.err
fi
received ours "$count" sends 0 operator send p0 --file $work/files/all
equal "frames of the file" "$count" "$(replay_py same $work/files/all $work/files/ours)"
if command -v tcpdump >/dev/null; then
    wait "$tcpdump"
    equal "frames of tcpdump" "$count" "$(replay_py same $work/files/all $work/files/theirs)"
fi
from_text() {
    replay_py text $work/files/all | sends 0 operator send p0 --sources any
}
received text "$count" from_text
equal "frames of the text" "$count" "$(replay_py same $work/files/all $work/files/text)"

# In turn, until so many are sent; what can be read once is kept.
from_pipe() {
    replay_py text $work/files/others | sends 0 operator send p0 --count 10
}
received turns 10 from_pipe
equal "the last of them" "$(replay_py text $work/files/others | sed -n 4p)" \
    "$(replay_py text $work/files/turns | tail -n 1)"

# What cannot be sent is said, and counted.
replay_py make $work/files/cut cut
sends 1 operator send p0 --file $work/files/cut
contains "the report" "4 of 5 frames sent" "$(cat $work/files/out)"
contains "the cut one" "Not sent: 1 (cut)" "$(cat $work/files/out)"
replay_py make $work/files/long long
sends 1 operator send p0 --file $work/files/long
contains "the report" "4 of 5 frames sent" "$(cat $work/files/out)"
contains "the long one" "frame 4 (3000 bytes) was not sent on p0" "$(cat $work/files/err)"
contains "what is right" "MTU" "$(cat $work/files/err)"
replay_py make $work/files/raw raw
sends 1 operator send p0 --file $work/files/raw
contains "no Ethernet" "cannot be sent: only those of Ethernet can" "$(cat $work/files/err)"
head -c 110 $work/files/all >$work/files/damaged
sends 1 operator send p0 --file $work/files/damaged
equal "nothing is sent of a damaged file" "" "$(cat $work/files/out)"
contains "what is right" "--count 1 sends the frames before that" "$(cat $work/files/err)"
sends 0 operator send p0 --file $work/files/damaged --count 1
sends 1 operator replay p0 $work/files/damaged
contains "what is right" "--limit 1 sends the frames before that" "$(cat $work/files/err)"
sends 0 operator replay p0 $work/files/damaged --limit 1 --late 0
sends 1 operator send p0 --hex "0102"
sends 2 operator send p0 --hex "$frame" --count x
sends 2 operator send p0 --hex "$frame" --pps 5 --interval 1
sends 2 operator send p0 --hex "$frame" --interval 0
nothing_is_left
