#!/bin/bash
# Frames that have a time arrive then, or are told to have been too late; times that cannot be are
# refused; a client that dies, or a broker, sends no more. The service tells how late frames were.
. "$(dirname "$0")/lib.sh"

make_users
cat >$work/netbrokerd.conf <<EOF
[service]
inject-interfaces = ta

[limits]
timed-streams-per-user = 4
EOF
cat >$work/policy.conf <<EOF
[allow the operator all]
user = operator
verbs = raw.*
EOF
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add ta type veth peer name tb
ip link set ta up
ip link set tb up
start_managed --config $work/netbrokerd.conf --policy $work/policy.conf
chmod 666 $socket
operator=3002

program=$build/tests/system/timed # itself, where it is to be killed
timed() {
    "$program" "$1" ta tb $operator
}

timed send >$work/sent
contains "what was told" "late" "$(cat $work/sent)"
timed wrong

# shown KEY: a number of the timing of the only injector.
shown() {
    json '{"action": "SHOW_INJECT"}' | python3 -c '
import json, sys
print(json.load(sys.stdin)["payload"]["injectors"][0]["timing"][sys.argv[1]])' "$1"
}

injectors_are() {
    [ "$(json '{"action": "SHOW_INJECT"}' | python3 -c '
import json, sys
print(len(json.load(sys.stdin)["payload"]["injectors"]))')" = "$1" ]
}

received() {
    awk '$1 == "tb:" { print $3 }' /proc/net/dev
}

more_than() {
    [ "$(received)" -gt "$1" ]
}

# is_quiet: nothing arrives for a tenth of a second
is_quiet() {
    local before

    before=$(received)
    sleep 0.1
    [ "$(received)" = "$before" ]
}

hold() {
    "$program" hold ta tb $operator >$work/held 2>&1 &
    holder=$!
    before=$(received)
    within 10 "frames arrive" more_than $((before + 20))
}

hold
[ "$(shown started)" -gt 1700000000000 ] || fail "the start: $(shown started)"
[ "$(shown latest_ns)" -gt 0 ] || fail "no frame was late at all"
kill -KILL $holder
wait $holder 2>/dev/null || true
within 10 "the injector ends with its client" injectors_are 0
within 10 "nothing is sent any more" is_quiet

# Others may have it when one has gone, and the service counts what each has.
holders=()
for _ in 1 2 3 4; do
    "$program" hold ta tb $operator >/dev/null &
    holders+=($!)
done
within 10 "four streams" injectors_are 4
timed wrong 2>$work/refusal && fail "a fifth stream is granted"
contains "why" "timed-streams-per-user" "$(cat $work/refusal)"
kill -KILL "${holders[@]}"
wait "${holders[@]}" 2>/dev/null || true
within 10 "all are gone" injectors_are 0
timed wrong

# A broker that dies takes them with it.
restarts_expected=1
hold
kill -KILL "$(status_of broker.pid)"
wait $holder && fail "the client of a broker that died goes on"
within 10 "nothing is sent any more" is_quiet
within 10 "another broker serves" timed wrong
