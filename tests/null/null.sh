#!/bin/bash
# A kind of resource that the service knows from its folder and its rows alone: two users hold nulls
# and count with the descriptors; the policy, the audit log, LEASES, STATUS and METRICS know them;
# and what was acknowledged outlives the broker and the keeper, with the counts.
. "$(dirname "$0")/../system/lib.sh"

null() {
    as "$1" python3 $work/build/null.py "${@:2}"
}

# audited PART...: whether a line of the log has all of these parts.
audited() {
    local log part

    log=$(cat $work/daemon.log)
    for part in "audit $1" "${@:2}"; do
        log=$(grep -F -- "$part" <<<"$log") || fail "no line of the audit log has $*"
    done
}

# Leases that outlive their session, whole; or the id of the one on the null of this name.
leases() {
    nb --json leases | python3 -c 'import json, sys
print([lease for lease in json.load(sys.stdin)["leases"] if lease["origin"] != "session"])'
}

lease_of() {
    nb --json leases | python3 -c 'import json, sys
print([lease["lease"] for lease in json.load(sys.stdin)["leases"] if lease["what"] == sys.argv[1]][0])' "$1"
}

nulls_are() {
    [ "$(status_of null.nulls)" = "$1" ]
}

# given_up NAME: the manager has it no more.
given_up() {
    awk -v name="FDNAME=null-$1" '$0 ~ name "$" {last = $1} END {exit last != "FDSTOREREMOVE=1"}' \
        $work/notes
}

# wait_for_keeper NAME: a member asks for it, while the keeper is silent. The answer's code is
# written to $work/tried.
wait_for_keeper() {
    kill -STOP "$keeper"
    null member try "$1" >$work/tried &
    within 5 "a request waits for the keeper" nulls_are 3
}

kill_broker() {
    broker=$(status_of broker.pid)
    kill -KILL "$broker"
    within 5 "the broker is gone" test ! -e "/proc/$broker"
    restarts_expected=$((restarts_expected + 1))
}

make_users
cp "$(dirname "$0")/null.py" $work/build
chmod 644 $work/build/null.py
cat >$work/policy <<'END'
[allow counting]
user = member
user = operator
verbs = null.*

[allow looking]
everyone = yes
verbs = null.read
END
start_managed --policy $work/policy --state $work/state/state
chmod 666 $socket

# Users, and what the service tells of them.
equal "a first count" 1 "$(null member count a)"
equal "a count by another user" 2 "$(null operator count a)"
equal "one of its own" 1 "$(null operator count b)"
contains "what a stranger sees" '{"name":"a","lent":2,"owners":2}' \
    "$(nb_as stranger --json null show)"
denied "a stranger's null" nb_as stranger null add --name a
equal "a lease" "null a client 3001" "$(nb --json leases | python3 -c 'import json, sys
lease = json.load(sys.stdin)["leases"][0]
print(lease["kind"], lease["what"], lease["origin"], lease["uid"])')"
equal "STATUS" 2 "$(status_of null.nulls)"
contains "METRICS" "netbroker_nulls 2" "$(nb metrics)"
audited granted "action=ADD_NULL verb=null.write uid=3001" "rule='counting' lease=$(lease_of a)"
audited refused "action=ADD_NULL verb=null.write uid=3003"

# The command knows it from its rows.
equal "a null by the command" "Null c lent." "$(nb_as member null add --name c)"
contains "its help" "--while-connected" "$(nb null add --help)"
equal "its end" "Null c deleted." "$(nb_as member null del --name c)"
audited released "action=DEL_NULL verb=null.write uid=3001"
within 5 "the manager gives c up" given_up c
nb policy check null.write --user member >/dev/null || fail "the policy does not know its verbs"

# The broker dies: all is there, but what a session held.
null member hold d >$work/held 2>/dev/null &
holder=$!
within 5 "d is held" grep -q 1 $work/held
before=$(leases)
kill_broker
equal "leases after the broker's death" "$before" "$(leases)"
kill $holder
within 5 "the manager gives d up" given_up d
equal "counts over the broker's death" "3 2" "$(null operator count a b)"
equal "leases after that" "$before" "$(leases)"

# It dies while a request waits for the keeper, which was not acknowledged.
keeper=$(status_of keeper.pid)
broker=$(status_of broker.pid)
wait_for_keeper e
kill -KILL "$broker"
kill -CONT "$keeper"
restarts_expected=$((restarts_expected + 1))
within 5 "the client is told" grep -q gone $work/tried
equal "leases after a death in a wait" "$before" "$(leases)"
nulls_are 2 || fail "there are nulls of nobody"
equal "a count of a new one" 1 "$(null member count e)"
nb_as member null del --name e

# What waits is revoked.
wait_for_keeper f
nb revoke "$(lease_of f)"
within 5 "the client is told" grep -q not-found $work/tried
kill -CONT "$keeper"
within 5 "the manager gives f up" given_up f
equal "leases after a revocation" "$before" "$(leases)"

# The keeper dies: the manager has all descriptors.
kill -KILL "$keeper"
within 10 "the manager starts another" grep -q "died -9" $work/notes
restarts_expected=0
equal "leases after the keeper's death" "$before" "$(leases)"
equal "counts over the keeper's death" "4 3" "$(null operator count a b)"

# They end.
nb revoke "$(lease_of a)"
equal "a release" "Null a deleted." "$(nb_as operator null del --name a)"
within 5 "the manager gives a up" given_up a
before=$(leases)
stop_daemon

# A start without descriptors opens what the state file names.
rm $socket
start_daemon --policy $work/policy --state $work/state/state
chmod 666 $socket
equal "leases after a restart" "$before" "$(leases)"
equal "a count of what was opened again" 1 "$(null operator count b)"
