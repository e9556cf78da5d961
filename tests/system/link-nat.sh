#!/bin/bash
# link serve --nat: the clients of a link reach slirp4netns, which ends with the link.
source "$(dirname "$0")/lib.sh"
command -v slirp4netns >/dev/null || skip "no slirp4netns"

peer=$tests/link_peer.py
export XDG_RUNTIME_DIR=$work
unset NETBROKER_SOCKET # it needs no service

serve() {
    : >$work/out # not what the link before it said
    setsid "$build/client/netbroker" --json link serve --nat --listen $work/s >$work/out 2>$work/err &
    link=$!
    within 10 "the link" ready_or_ended
    grep -q '"event":"ready"' $work/out || fail "the link: $(cat $work/err)"
}

ready_or_ended() {
    [ ! -e "/proc/$link" ] || grep -q '"event":"ready"' $work/out
}

nat_is_gone() {
    ! pgrep -x slirp4netns
}

serve
equal "ARP of the gateway" "52:55:0a:00:02:02" "$(python3 "$peer" arp u16le $work/s 10.0.2.2)"
kill -TERM -- -$link # as Ctrl-C does: to the whole group
wait $link || fail "the link's end: $(cat $work/err)"
within 10 "slirp4netns ends" nat_is_gone
equal "what is left" "" "$(find $work -name 'netbroker-nat-*')"

serve
kill -KILL $link
wait $link 2>/dev/null || true
within 10 "slirp4netns ends with a link that was killed" nat_is_gone

serve
kill "$(pgrep -P $link)"
status=0
wait $link || status=$?
equal "exit status without slirp4netns" 1 $status
contains "what is said of it" "slirp4netns has ended" "$(cat $work/err)"

status=0
PATH=/nowhere "$build/client/netbroker" link serve --nat --listen $work/s 2>$work/err || status=$?
equal "exit status where there is none" 1 $status
contains "what is said of that" "install it" "$(cat $work/err)"
