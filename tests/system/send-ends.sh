#!/bin/bash
# However sending ends - by a signal, the interface, an administrator, the service - it says what was
# sent and what was not, and nothing of it is left.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"

serve
frame="010ccd040001 020000000001 88b5 0102030405"

# begins NAME ARGUMENT...: in the background.
declare -A running
begins() {
    setpriv --reuid member --regid member --init-groups $work/build/client/netbroker \
        send p0 --hex "$frame" --json "${@:2}" >$work/files/"$1".out 2>$work/files/"$1".err &
    running[$1]=$!
    within 10 "$1 is open" open_are INJECT 1
    within 10 "$1 sends" frames_are_sent
}
frames_are_sent() {
    [ "$(json '{"action": "SHOW_INJECT"}' | python3 -c '
import json, sys
print(sum(item["sent"] for item in json.load(sys.stdin)["payload"]["injectors"]))')" -gt 0 ]
}

# ends NAME STATUS: it has ended.
ends() {
    local status=0

    wait "${running[$1]}" || status=$?
    equal "exit status of $1: $(cat $work/files/"$1".out $work/files/"$1".err)" "$2" $status
    cp $work/files/"$1".out $work/files/out
}

# A signal, of what has an end and of what has none.
begins forever --count 0 --pps 200 --late 0
kill -INT "${running[forever]}"
ends forever 0
equal "frames" "$(report frames)" "$(report sent)"
equal "none is left over" 0 "$(report ended)"
begins some --count 100000 --pps 200 --late 0
kill -TERM "${running[some]}"
ends some 1
equal "all are in the report" 100000 "$(report frames)"
equal "those that were not sent" $((100000 - $(report sent))) "$(report ended)"
nothing_is_left

# The right is taken back.
begins revoked --count 0 --pps 200
nb inject close "$(json '{"action": "SHOW_INJECT"}' | member payload.injectors.0.inject)"
ends revoked 1
contains "what it says" "sending on p0 has ended" "$(cat $work/files/revoked.err)"
nothing_is_left

# The interface is down: frames are refused, and explained once.
ip link set p0 down
sends 1 member send p0 --hex "$frame" --count 3
contains "why" "ip link set dev p0 up" "$(cat $work/files/err)"
contains "the report" "0 of 3 frames sent" "$(cat $work/files/out)"
ip link set p0 up
sends 0 member send p0 --hex "$frame" --count 3

# The command is killed.
begins killed --count 0 --pps 200
kill -KILL "${running[killed]}"
wait "${running[killed]}" || true
nothing_is_left

# The broker is killed: the command tells what had been sent, and the next broker sends again.
begins orphan --count 0 --pps 200
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
ends orphan 3
contains "what it says" "the service is gone" "$(cat $work/files/orphan.err)"
[ "$(report sent)" -gt 0 ] || fail "it forgot what was sent"
within 10 "the next broker" nb ping
nothing_is_left
sends 0 member send p0 --hex "$frame"

# The interface goes.
begins removed --count 0 --pps 200
ip link delete p0
ends removed 1
contains "what it says" "its interface is gone" "$(cat $work/files/removed.err)"
nothing_is_left
