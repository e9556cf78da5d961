#!/bin/bash
# However a capture ends - its interface goes, the service is killed, its command is killed - its
# file is whole and says so, and nothing of it is left.
. "$(dirname "$0")/lib.sh"

for program in tshark capinfos xxd; do
    command -v $program >/dev/null || skip "there is no $program"
done
. "$(dirname "$0")/capture-lib.sh"

serve
whole() {
    capinfos $work/files/"$1" >/dev/null 2>$work/complaints || fail "$1: $(cat $work/complaints)"
    equal "complaints about $1" "" "$(cat $work/complaints)"
}

# frames_come NAME COUNT
frames_come() {
    arrive "$2" "$mark"
    within 10 "frames are in $1" file_has "$1" "$2"
}
file_has() {
    [ "$(strings $work/files/"$1" | grep -c netbroker-mark)" -ge "$2" ]
}

# The broker is killed: the command asks the next one for the same, and goes on into the same file,
# which says so.
capture member killed -i r0
frames_come killed 5
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "the next broker" nb ping
within 10 "it goes on" captures_are 1
within 10 "it says so" grep -q "the capture of r0 goes on" $work/files/killed.err
within 10 "one socket is left" sockets_are 1
frames_come killed 8
ends killed 0 INT
whole killed
equal "frames before and behind" 13 "$(frames_of killed 'frame contains "netbroker-mark"')"
equal "the first one behind" 1 "$(frames_of killed 'frame.comment contains "some are missing"')"
within 10 "no socket is left" sockets_are 0
capture member again -i r0
frames_come again 3

# The service is stopped, and started again, as by an update: the same. It ends the ring itself.
kill -TERM "$(status_of keeper.pid)"
within 10 "the next service" nb ping
restarts_expected=0 # it is counted anew
within 10 "it goes on again" grep -q "the capture of r0 goes on" $work/files/again.err
within 10 "there is one again" captures_are 1
frames_come again 6

# A command that is killed leaves nothing.
kill -KILL "${running[again]}"
wait "${running[again]}" || true
within 10 "nothing is left" captures_are 0
within 10 "no socket is left" sockets_are 0

# There is no room for its file: that is whole, and what is not in it is told.
mkdir $work/small
mount -t tmpfs -o size=64k,mode=777 tmpfs $work/small
ln -s $work/small/full $work/files/full
capture member full -i r0
arrive 2000 "$mark"
ends full 1
contains "what it says" "No space left on device" "$(cat $work/files/full.err)"
contains "what it says of the rest" "the last ones were not written" "$(cat $work/files/full.err)"
whole full
within 10 "nothing is left" captures_are 0

# The interface goes down and comes back: the capture goes on, and tells of it.
capture member down -i r0
frames_come down 2
ip link set r0 down
within 10 "it says that it is down" grep -q "r0 is down" $work/files/down.err
ip link set r0 up
within 10 "it says that it is up" grep -q "r0 is up" $work/files/down.err
frames_come down 2
ends down 0 INT
whole down

# Rules decide when something is opened: what is open stays when they change. A revoked lease ends it,
# and the command says why.
capture member revoked -i r0
frames_come revoked 2
cp $work/policy.conf $work/policy.before
sed -i 's/^verbs = raw\.\*$/verbs = mroute.read/' $work/policy.conf
kill -HUP "$(status_of keeper.pid)"
refused_now() {
    ! as member $work/build/client/netbroker capture -i r0 -c 1 -w $work/files/none 2>$work/refusal &&
        grep -q "may not do" $work/refusal
}
within 10 "no other is opened" refused_now
frames_come revoked 4
nb revoke "$(nb --json leases | member leases.0.lease)" || fail "the lease is not revoked"
ends revoked 1
contains "what it says" "the right to it was taken back" "$(cat $work/files/revoked.err)"
whole revoked
cat $work/policy.before >$work/policy.conf
kill -HUP "$(status_of keeper.pid)"
within 10 "it is allowed again" nb policy check --user member raw.capture r0

# The interface goes for ever.
capture member removed -i r0
frames_come removed 2
ip link delete r0
ends removed 1
contains "what it says" "its interface is gone" "$(cat $work/files/removed.err)"
whole removed
within 10 "nothing is left" captures_are 0

# The service goes and does not come back: the command says so, and its file is whole and says it too.
capture root last -i r1
keeper=$(status_of keeper.pid) broker=$(status_of broker.pid)
(check_end)
kill -KILL "$daemon" "$keeper" "$broker"
daemon=
ends last 3
contains "what it says" "the service is gone" "$(cat $work/files/last.err)"
whole last
contains "the last block" "The capture ends here: the service is gone." "$(strings $work/files/last)"
