#!/bin/bash
# A relay of an ordinary user tells the service of its clients: they are listed, with rates, are in
# METRICS, and are events; also after the broker was killed. A relay that lies hurts nobody.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

peer=$tests/link_peer.py
serve
mkdir -m 755 $work/member
chown member $work/member

is_watched() {
    [ "$(status_of subscribers)" = 1 ]
}
{ nb --json watch --topics 'link.*' || true; } >$work/events 2>&1 &
within 10 "the watch" is_watched
setpriv --reuid member --regid member --init-groups $work/build/client/netbroker --json link serve nb-l \
    --hosts 192.168.7.1/24 --listen $work/member/s >$work/relay.out 2>$work/relay.err &
relay=$!
within 10 "the relay" grep -q '"event":"ready"' $work/relay.out

# shown KEY [PORT]: a member of the first client, or of one, "" where it is not there.
shown() {
    nb_as member --json link list | python3 -c '
import json, sys
links = json.load(sys.stdin)["links"]
links = [link for link in links if not sys.argv[2:] or link["name"] == sys.argv[2]]
print(links[0].get(sys.argv[1], "") if links else "")' "$@"
}
is_shown() {
    [ "$(shown "$1")" = "$2" ]
}
event() {
    grep "\"$1\"" $work/events | grep -q "$2"
}

# A client comes: who it is, and what went through.
equal "no client yet" "No clients of relays." "$(nb_as member link list)"
python3 "$peer" hold u16le $work/member/s 192.168.7.1 >$work/held &
client=$!
within 10 "the client is listed" is_shown tap nb-l
within 10 "its question was counted" is_shown rx_frames 1
within 10 "and the answer" is_shown tx_frames 1
equal "its framing" u16le "$(shown framing)"
equal "its process" $client "$(shown pid)"
equal "its user" 0 "$(shown uid)"
equal "whose word it is" 3001 "$(shown told_by)"
equal "it has a date" 20 "$(shown since | cut -c 1-2)"
within 10 "an event" event link.attached nb-l
denied "a stranger" nb_as stranger link list
contains "the list for people" "u16le" "$(nb_as member link list)"
within 10 "rates" grep -q '"rx_frames_per_second":0.000' \
    <({ timeout 5 $work/build/client/netbroker --socket $socket --json link list --watch 0.2 || true; })
value() {
    nb metrics | python3 "$tests/exposition.py" "$1"
}
equal "clients" 1 "$(value 'netbroker_link_clients{tap="nb-l"}')"
equal "frames" 1 "$(value 'netbroker_link_receive_frames_total{tap="nb-l"}')"

# The broker is killed: the relay goes on, and tells the next one.
since=$(shown since)
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
within 20 "the next broker knows" is_shown tap nb-l
equal "since when is the same" "$since" "$(shown since)"

# It leaves, and says why.
{ nb --json watch --topics 'link.*' || true; } >$work/events 2>&1 &
within 10 "the watch" is_watched
python3 "$peer" hold u16le $work/member/s 192.168.7.1 >$work/second &
second=$!
within 10 "an event of the second" event link.attached '"port":2'
kill $client $second
wait $client $second || true
within 10 "an event with the reason" event link.detached '"why"'
within 10 "nobody is left" is_shown tap ""
equal "what was counted stays" 2 "$(value 'netbroker_link_receive_frames_total{tap="nb-l"}')"

# One that does not read loses frames: that is an event, and stands in the list.
python3 "$peer" idle $work/member/s >$work/idle &
idle=$!
within 10 "it is there" is_shown tap nb-l
loses() {
    python3 "$peer" shout nb-l 2000
    event link.dropped '"lost"'
}
within 20 "it loses frames" loses
[ "$(shown tx_dropped)" -gt 0 ] || fail "drops in the list"
[ "$(shown pending)" -gt 0 ] || fail "bytes that wait"

# A relay that lies: what it says is refused, cut off, or shown as its word and no more.
guest nb-liar
as member env NETBROKER_SOCKET=$socket python3 $work/build/lying.py nb-liar >$work/lies || fail "lies: $(cat $work/lies)"
equal "of the liar" 32 "$(nb_as member --json link list | grep -o '"tap":"nb-liar"' | wc -l)"
nb metrics | python3 "$tests/exposition.py" >$work/exposed
timeout 20 script -qec "stty cols 80 rows 60; exec setpriv --reuid member --regid member --init-groups \
    timeout 1.5 $work/build/client/netbroker link list --watch 0.2" /dev/null </dev/null >$work/terminal || true
contains "on a terminal" "nb-liar" "$(cat $work/terminal)"
python3 - $work/terminal <<'END'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
for line in re.sub("\033\\[[HJ]|\r", "", text).splitlines():
    assert len(line) <= 80 and "\033" not in line, line
END
end_guest nb-liar
within 10 "it is forgotten with the tap" test "$(nb_as member --json link list | grep -c nb-liar || true)" = 0
kill $idle

# The service is away for good: the relay goes on.
within 10 "the others are there" nb ping
kill -TERM $relay
status=0
wait $relay || status=$?
equal "exit status of the relay" 0 $status
