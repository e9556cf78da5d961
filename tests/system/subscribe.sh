#!/bin/bash
# A user without rights follows the Sampled Values and GOOSE of an interface while they come, within
# what the policy allows; and learns why it ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/capture-lib.sh"

tool=$build/tests/wireshark/iec61850-tool
serve

# subscribe USER NAME COMMAND...: in the background, once it is open; its output is NAME, its errors
# NAME.err.
subscribe() {
    local before
    before=$(captures)

    setpriv --reuid "$1" --regid "$1" --init-groups $work/build/client/netbroker "${@:3}" \
        >$work/files/"$2" 2>$work/files/"$2".err &
    running[$2]=$!
    within 10 "$2 is open" captures_are $((before + 1))
}

# --- Sampled Values -----------------------------------------------------------------------------

denied "both directions" nb_as operator sv subscribe r0
contains "where the way is" "'netbroker capture interfaces' shows" "$(cat $work/denied)"
denied "another interface" nb_as operator sv subscribe r1 --direction in
denied "a stranger" nb_as stranger goose subscribe r0 --direction in

subscribe operator values sv subscribe r0 --direction in --json --interval 0.5 --waveforms
subscribe member people sv subscribe r0 --interval 0.5
"$tool" stream $work/stream 4800 1 50.1 9600 2000 2001 -3000
inside sender "$tool" send s0 $work/stream
"$tool" goose $work/goose
inside sender "$tool" send s0 $work/goose # is none of these
sleep 0.3
ends values 0 INT
ends people 0 TERM
python3 "$tests/subscribe.py" sv $work/files/values 4800 50.1 samples=9599 lost=2 repeated=1 \
    restarts=0 >$work/count
[ "$(cat $work/count)" -ge 3 ] || fail "only $(cat $work/count) reports of two seconds"
contains "the summary" "9599 frames of 1 streams; 0 frames were lost on their way" \
    "$(cat $work/files/people.err)"
contains "the table" "9599 samples, 2 lost, 1 repeated, 0 late" "$(cat $work/files/people)"

# So many, and so long.
subscribe operator few sv subscribe r0 --direction in -c 100
inside sender "$tool" send s0 $work/stream
ends few 0
contains "the summary" "100 frames of 1 streams" "$(cat $work/files/few.err)"
start=$(now_ms)
nb_as operator sv subscribe r0 --direction in --duration 0.5 2>$work/files/short.err
took=$(($(now_ms) - start))
[ $took -ge 500 ] || fail "it took $took ms"
contains "why nothing may have come" "--promiscuous has it take them" "$(cat $work/files/short.err)"

# --- GOOSE --------------------------------------------------------------------------------------

# Silence is told while it lasts, not when something comes at last.
subscribe operator events goose subscribe r0 --direction in --json
inside sender "$tool" send s0 $work/goose
events_are() {
    [ "$(wc -l <$work/files/events)" = "$1" ]
}
within 10 "the last one is missed" events_are 12
ends events 0 INT
python3 "$tests/subscribe.py" goose $work/files/events
read -r -a times <<<"$(python3 "$tests/subscribe.py" times $work/files/events)"
equal "when silence began" 200 $((times[9] - times[8]))

# --- The end ------------------------------------------------------------------------------------

subscribe operator revoked goose subscribe r0 --direction in
lease=$(json '{"action": "LEASES"}' | python3 -c '
import json, sys
print(json.load(sys.stdin)["payload"]["leases"][0]["lease"])')
nb revoke "$lease" >/dev/null
ends revoked 1
contains "why" "the right to it was taken back" "$(cat $work/files/revoked.err)"

# A service that comes back: it goes on, and says so.
subscribe operator again sv subscribe r0 --direction in --json --interval 0.5
"$tool" stream $work/stream 4800 1 50.1 4800
inside sender "$tool" send s0 $work/stream
restarts_expected=1
kill -KILL "$(status_of broker.pid)"
within 10 "it says so" grep -q "followed again" $work/files/again.err
within 10 "it is followed again" captures_are 1
"$tool" stream $work/later 4800 1 50.1 2400
inside sender "$tool" send s0 $work/later
sleep 0.3
ends again 0 INT
contains "what happened" "the service was gone; what is sent on r0 is followed again" \
    "$(cat $work/files/again.err)"
equal "frames before and after" 7200 "$(python3 -c '
import json, sys
print([line["data"]["frames"] for line in map(json.loads, sys.stdin)
       if line["topic"] == "analyzer/end"][0])' <$work/files/again)"

# One that does not.
subscribe operator gone sv subscribe r0 --direction in
stop_daemon
ends gone 3
contains "why" "the service is gone" "$(cat $work/files/gone.err)"
equal "packet sockets" 0 "$(tail -n +2 /proc/net/packet | wc -l)"
