#!/bin/bash
# A start with a mistake in the administrator's files: packets go on, routes and joins are restored,
# and only root is answered where the mistake leaves open who else may be. A reload of correct files
# puts it right. Nothing of it needs another start.
. "$(dirname "$0")/lib.sh"

rules() {
    cat >$work/etc/policy.conf <<END
[allow the operators]
group = ${1:-operator}
verbs = *
END
}

says() {
    grep -qF -- "$1" $work/daemon.log
}

noted() {
    grep -qF -- "$1" $work/notes
}

status_begins() {
    [[ "$(grep ^STATUS= $work/notes | tail -n 1)" == "STATUS=$1"* ]]
}

reload() {
    : >$work/daemon.log
    kill -HUP "$(status_of keeper.pid)"
    within 5 "the reload" passes says "policy read"
    nb ping >/dev/null
}

# root_only WHAT PLACE: root is answered and told the place of the mistake; others are refused.
root_only() {
    local status=0

    nb ping >/dev/null || fail "$1: root is not answered"
    equal "$1: root_only of the status" true "$(status_of root_only)"
    contains "$1: the mistakes of the status" "$2" "$(status_of mistakes)"
    nb_as operator mfc show >$work/denied 2>&1 || status=$?
    equal "$1: exit status for another user" 1 $status
    contains "$1: the refusal" "the policy has mistakes" "$(cat $work/denied)"
    contains "$1: the question to the policy" "only root" \
        "$(nb policy check mroute.read --user operator 2>&1 || true)"
}

serves_all() {
    equal "$1: root_only of the status" false "$(status_of root_only)"
    equal "$1: the mistakes of the status" "[]" "$(status_of mistakes)"
    nb_as operator mfc show >/dev/null || fail "$1: the operator is refused"
}

make_users
make_topology
mkdir -m 755 $work/etc
rules

# --- The policy, while packets flow: the manager keeps the tables ---------------------------------

start_managed --policy $work/etc/policy.conf --state $work/state/state
chmod 666 $socket
serves_all "a start without mistakes"
nb_as operator mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb_as operator join add --group 239.1.1.9 --iif r0
within 5 "the status counts" status_begins "Serving; 1 route, 1 join, "
receive through receiver1 d1 239.1.1.1 3000
send 239.1.1.1 3000 1000 &
sender_done=$!
rules no-such-group
old=$(status_of keeper.pid)
kill -TERM "$old"
within 10 "the next start" noted "died 0"
within 10 "the service serves" nb ping
[ "$(status_of keeper.pid)" != "$old" ] || fail "the keeper is the old one"
root_only "a group that is not there" "policy.conf:2: 'no-such-group' is wrong"
says "policy.conf:2: 'no-such-group' is wrong; right would be the name of a group" ||
    fail "the log does not name the mistake"
within 5 "the status says it" status_begins "Serving root only; 1 route, 1 join, "
noted "1 mistake, the first: $work/etc/policy.conf:2: " || fail "the status names no place"
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r2
wait $sender_done
contains "packets during a restart with a mistake" "received 3000 lost 0 duplicates 0" \
    "$(result through)"
rules
reload
serves_all "a reload without mistakes"
within 5 "the status" status_begins "Serving; 2 routes, 1 join, "
rules no-such-group
: >$work/daemon.log
kill -HUP "$(status_of keeper.pid)"
within 5 "the reload" passes says "the policy stays as it was: 1 rules"
equal "root_only after a reload with a mistake" false "$(status_of root_only)"
contains "the mistakes after it" "policy.conf:2: " "$(status_of mistakes)"
nb_as operator mfc show >/dev/null
within 5 "the status" status_begins "Serving; 2 routes, 1 join, "
stop_daemon

# --- The policy, where nothing is kept but the state file ------------------------------------------

# started WHAT OPTION...: the files have a mistake, and the service serves.
started() {
    : >$work/daemon.log
    rm -f $socket
    start_daemon "${@:2}" --socket $socket
    chmod 666 $socket
}

nowhere() {
    equal "the kernel before $1" "" "$(ip mroute show)"
}

files=(--policy "$work/etc/policy.conf" --state "$work/state/state")
nowhere "a start with the state file"
started "a deleted group" "${files[@]}"
root_only "a deleted group" "policy.conf:2: "
equal "routes" 2 "$(status_of mroute.routes)"
equal "joins" 1 "$(status_of joins.joins)"
flow 239.1.1.1 20 20 0
rules
reload
serves_all "the group again"
stop_daemon

# A mistake on the command line: the value of an option that may stand without one.
status=0
"$build/daemon/netbrokerd" --require-sandbox full 2>$work/refusal || status=$?
equal "the exit status" 2 $status
contains "what would be right" "behind '='" "$(cat $work/refusal)"

mistaken() {
    started "$1" "${files[@]}"
    root_only "$1" "$2"
    flow 239.1.1.1 5 5 0
    stop_daemon
}

rules && chmod 600 $work/etc/policy.conf
mistaken "a file for root alone" "policy.conf is not used: Permission denied; the user that the service"
rules && chown stranger $work/etc/policy.conf && chmod 644 $work/etc/policy.conf
mistaken "a stranger's file" "policy.conf is not used: it must belong to root"
rm $work/etc/policy.conf
mistaken "a file that was named and is not there" "policy.conf is not used: No such file"
rules && echo nonsense >>$work/etc/policy.conf
mistaken "a line that is no setting" "policy.conf:4: "
rules

# --- The configuration ---------------------------------------------------------------------------

conf() {
    printf '%b\n' "$1" >$work/etc/netbrokerd.conf
}

# doubtful WHAT TEXT PLACE: it leaves open who may do what.
doubtful() {
    conf "$2"
    started "$1" --config $work/etc/netbrokerd.conf "${files[@]}"
    root_only "$1" "netbrokerd.conf:$3"
    flow 239.1.1.1 5 5 0
    conf "[limits]\nidle-seconds = 60"
    reload
    serves_all "$1, corrected"
    equal "$1: the limit" 60 "$(status_of limits.idle_seconds)"
    stop_daemon
}

doubtful "an unknown setting" "[service]\ntabels = 100" 2
doubtful "an unknown heading" "[sevrice]\ntables = 100" 2
doubtful "no setting" "[service]\nnonsense" 2
doubtful "tables" "[service]\ntables = all" 2

conf "[service]\nlog-level = loud\nuser =\n[limits]\nidle-seconds = soon\nconnections = 77"
started "harmless mistakes" --config $work/etc/netbrokerd.conf "${files[@]}"
equal "root_only with harmless mistakes" false "$(status_of root_only)"
contains "the mistakes of the status" "netbrokerd.conf:5: " "$(status_of mistakes)"
equal "what is wrong has its default" 30 "$(status_of limits.idle_seconds)"
equal "what is right holds" 77 "$(status_of limits.connections)"
nb_as operator mfc show >/dev/null
stop_daemon

# Corrected, the file permits less than what is in force: only root until the next start.
conf "[service]\ntabels = default"
started "tables that were misspelled" --config $work/etc/netbrokerd.conf "${files[@]}"
conf "[service]\ntables = default"
reload
equal "root_only while the old tables hold" true "$(status_of root_only)"
says "take effect at the next start" || fail "the log does not ask for a start"
stop_daemon

rm $work/etc/netbrokerd.conf
started "a named file that is not there" --config $work/etc/netbrokerd.conf "${files[@]}"
root_only "a named file that is not there" "netbrokerd.conf is not used: No such file"
stop_daemon

# --- Routes and joins ------------------------------------------------------------------------------

cat >$work/etc/multicast.conf <<END
interface r2 ttl 3
route source 10.1.0.2 group 239.2.1.1 iif r0 oifs r1,r2
route source 10.1.0.2 group 239.2.1.2 iif r0 oifs r0
route source 10.1.0.2 group 239.2.1.3 colour blue iif r0 oifs r1
join group 239.2.1.1 iif r0
join group 10.0.0.1 iif r0
END
mkdir -m 755 $work/etc/multicast.d
echo "route source 10.1.0.2 group 239.3.1.1 iif r0 oifs r2" >$work/etc/multicast.d/a.conf
printf 'intreface r2 ttl 3\nroute source 10.1.0.2 group 239.3.1.2 iif r0 oifs r2\n' \
    >$work/etc/multicast.d/b.conf
files+=(--multicast "$work/etc/multicast.conf")
started "mistakes in the routes" "${files[@]}"
equal "root_only with mistakes in the routes" false "$(status_of root_only)"
contains "the mistakes of the status" "multicast.conf:3: " "$(status_of mistakes)"
contains "what the doctor finds" "multicast.conf:3: " "$(nb doctor || true)"
flow 239.2.1.1 5 5 5
flow 239.2.1.1 5 5 0 3 # the threshold holds
flow 239.3.1.1 5 0 5
flow 239.3.1.2 5 0 0 # whose threshold is not known
flow 239.1.1.1 5 5 0
equal "joins" 2 "$(status_of joins.joins)"
before=$(kernel_state)
: >$work/daemon.log
kill -HUP "$daemon"
within 5 "the reload" passes says "stays as it was"
equal "the kernel after a reload" "$before" "$(kernel_state)"
sed -i -e '/10.0.0.1/d' -e '/239.2.1.[23]/d' $work/etc/multicast.conf
sed -i 's/intreface/interface/' $work/etc/multicast.d/b.conf
reload
within 5 "all routes" test "$(status_of mroute.routes)" = 5
equal "the mistakes after the correction" "[]" "$(status_of mistakes)"
flow 239.3.1.2 5 0 5
stop_daemon

# What was in force stays, although its line, or its file, has a mistake at the start.
kept_routes() {
    flow 239.2.1.1 5 5 5
    flow 239.3.1.1 5 0 5
    equal "$1: routes" 5 "$(status_of mroute.routes)"
    equal "$1: joins" 2 "$(status_of joins.joins)"
    check_agreement
}

cp $work/etc/multicast.conf $work/good
sed -i '/239.2.1.1/s/iif/iff/' $work/etc/multicast.conf
started "a line in force has a mistake" "${files[@]}"
contains "the mistakes of the status" "multicast.conf:2: " "$(status_of mistakes)"
kept_routes "a line in force has a mistake"
restarts_expected=1
kill -KILL "$(status_of broker.pid)"
rm $work/etc/multicast.conf
mkdir $work/etc/multicast.conf
within 5 "the next broker" test "$(status_of broker_restarts)" = 1
kept_routes "the file became a folder"
rmdir $work/etc/multicast.conf
grep -v -e ' 239.2.1.1 .*oifs' $work/good >$work/etc/multicast.conf
reload
within 5 "a correct file ends the route" test "$(status_of mroute.routes)" = 4
flow 239.2.1.1 5 0 0
stop_daemon
restarts_expected=0

# --- The check names the mistakes of all files ------------------------------------------------------

rules no-such-group
conf "[service]\ntabels = 100"
echo "route" >$work/etc/multicast.conf
status=0
"$build/daemon/netbrokerd" --check-config --config $work/etc/netbrokerd.conf "${files[@]}" \
    >$work/out 2>&1 || status=$?
equal "exit status of the check" 1 $status
for place in netbrokerd.conf:2 policy.conf:2 multicast.conf:1; do
    contains "what the check says" "$place: " "$(cat $work/out)"
done
rules && chmod 600 $work/etc/policy.conf
status=0
"$build/daemon/netbrokerd" --check-config --user netbroker --policy $work/etc/policy.conf \
    >$work/out 2>&1 || status=$?
equal "exit status of a check of a file that the service cannot read" 1 $status
