#!/bin/bash
# One route, several owners: users and connections. Whoever lets go, ends or loses a lease takes
# nothing from the others: not a packet is lost until the last one goes, and then none passes.
. "$(dirname "$0")/lib.sh"

add='{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.1", "iif": "r0",
    "oifs": ["r1"], "while_connected": true}}'

# session: a connection that holds the route; sets $session to its process.
session() {
    python3 "$tests/protocol.py" hold "$add" >$work/session &
    session=$!
    within 10 "the session holds it" grep -q success $work/session
}

owners() {
    nb --json mfc show --group 239.1.1.1 | python3 -c 'import json, sys
print(sum(rule["owners"] for rule in json.load(sys.stdin)["mfc_rules"]))'
}

holders_are() {
    [ "$(owners)" = "$1" ]
}

# leases [KEY VALUE]: ids of all leases, or of those with this.
leases() {
    nb --json leases | python3 -c 'import json, sys
print(*[l["lease"] for l in json.load(sys.stdin)["leases"] if str(l.get(sys.argv[1])) == sys.argv[2]])' \
        "$@"
}

make_users
make_topology
cat >$work/policy.conf <<END
[allow these]
user = member, operator
verbs = mroute.*, lease.*
END
start_daemon --policy $work/policy.conf --state $work/state/routes
chmod 666 $socket
route=(--source 10.1.0.2 --group 239.1.1.1)

# Two connections that end: the route goes with the second.
session
first=$session
session
second=$session
within 5 "two hold it" holders_are 2
equal "leases" 2 "$(leases origin session | wc -w)"
receive stream receiver1 d1 239.1.1.1 1000
send 239.1.1.1 1000 1000 &
kill -TERM $first
within 5 "one holds it" holders_are 1
contains "packets" "received 1000 lost 0 duplicates 0" "$(result stream)"
kill -TERM $second
within 5 "none holds it" holders_are 0
equal "the kernel's routes" "" "$(ip mroute show | grep -v unresolved || true)"

# Two users and a connection; one lets go, one loses its lease, one ends.
nb_as member mfc add "${route[@]}" --iif r0 --oifs r1
nb_as operator mfc add "${route[@]}" --iif r0 --oifs r1
session
within 5 "three hold it" holders_are 3
equal "the member's lease" 1 "$(leases uid 3001 | wc -w)"
equal "the operator's lease" 1 "$(leases uid 3002 | wc -w)"
receive stream receiver1 d1 239.1.1.1 2000
send 239.1.1.1 2000 1000 &
status=0
nb_as member mfc add "${route[@]}" --iif r0 --oifs r1,r2 2>$work/refusal || status=$?
equal "exit status for changing what others hold" 1 $status
contains "the reason" "Another user holds" "$(cat $work/refusal)"
nb_as member mfc del "${route[@]}"
equal "owners" 2 "$(owners)"
equal "the member's leases" "" "$(leases uid 3001)"
nb revoke "$(leases uid 3002)"
equal "owners" 1 "$(owners)"
status=0
nb_as operator mfc del "${route[@]}" 2>$work/refusal || status=$?
equal "exit status for who holds it no more" 1 $status
contains "packets" "received 2000 lost 0 duplicates 0" "$(result stream)"
kill -TERM $session
within 5 "none holds it" holders_are 0
flow 239.1.1.1 10 0 0

# With the broker connections end, and what they hold; what users hold stays.
session
nb_as member mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1
within 5 "all is in the file" grep -q 239.1.1.2 $work/state/routes
receive stream receiver1 d1 239.1.1.2 1000
send 239.1.1.2 1000 1000 &
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
restarts_expected=1
equal "owners of the connection's route" 0 "$(owners)"
contains "packets of the user's route" "received 1000 lost 0 duplicates 0" "$(result stream)"
equal "the member's leases" 1 "$(leases uid 3001 | wc -w)"
equal "all leases" 1 "$(nb --json leases | member leases | grep -o '"lease"' | wc -l)"
kill $session 2>/dev/null || true
