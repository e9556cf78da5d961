#!/bin/bash
# Whoever's connection the service ends reads why, and then the end: also who is still writing, and
# who has not read for long. No such end is an error of the socket.
. "$(dirname "$0")/lib.sh"

make_users
start_for_everybody "connections = 600" "connections-per-user = 12" "request-seconds = 1" \
    "idle-seconds = 2" "reply-seconds = 2" "queued-bytes-per-user = 65536"
cp "$tests/reasons.py" $work/build
for way in turned_away lingering crowd too_large garbage half idle stalled producer; do
    as stranger python3 $work/build/reasons.py $way
done
within 10 "all connections have ended" test "$(status_of connections)" = 1

# The command of a user who has no connection left says it.
as stranger python3 $work/build/reasons.py hold &
holder=$!
within 10 "all connections are taken" test -e $work/state/held
status=0
nb_as stranger ping 2>$work/refusal || status=$?
equal "exit status of the command" 1 $status
contains "what the command says" "connections-per-user" "$(cat $work/refusal)"
kill $holder

# A subscriber whom the policy does not let listen any more.
as member python3 $work/build/reasons.py subscriber $work/state/subscribed &
subscriber=$!
within 10 "the subscription" test -e $work/state/subscribed
cat >$work/policy.conf <<END
[allow root]
user = root
verbs = *
END
kill -HUP "$daemon"
wait $subscriber
