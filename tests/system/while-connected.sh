#!/bin/bash
# What is asked for while a connection lasts ends with it, also when its process is killed; beside it
# what others hold stays. The command holds on until it is ended.
. "$(dirname "$0")/lib.sh"

make_topology
echo "[limits]
idle-seconds = 1" >$work/netbrokerd.conf
start_daemon --config $work/netbrokerd.conf

routes() {
    status_of mroute.routes
}

routes_are() {
    [ "$(routes)" = "$1" ]
}

# hold NAME GROUP: a command that holds a route, in the background.
declare -A holders
hold() {
    "$build/client/netbroker" mfc add --source 10.1.0.2 --group "$2" --iif r0 --oifs r1 --while-connected \
        >$work/"$1".held 2>&1 &
    holders[$1]=$!
    within 5 "$1 holds" grep -q "held until" $work/"$1".held
}

let_go() {
    kill -"$2" "${holders[$1]}"
    wait "${holders[$1]}" 2>/dev/null || true
}

hold one 239.1.1.1
hold two 239.1.1.1
equal "routes" 1 "$(routes)"
equal "owners" "session 2" "$(nb --json mfc show | member mfc_rules.0.origin) $(nb --json mfc show |
    member mfc_rules.0.owners)"
equal "leases" 2 "$(json '{"action": "LEASES"}' | python3 -c '
import json, sys
print(len(json.load(sys.stdin)["payload"]["leases"]))')"
flow 239.1.1.1 20 20 0
sleep 2.5 # who holds something is not idle
let_go one KILL
flow 239.1.1.1 20 20 0
equal "routes while the other one holds" 1 "$(routes)"
let_go two TERM
within 5 "the route goes" routes_are 0
flow 239.1.1.1 10 0 0

# The same route for good, and while connected.
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1
hold three 239.1.1.2
let_go three TERM
sleep 0.3
flow 239.1.1.2 20 20 0
nb mfc del --source 10.1.0.2 --group 239.1.1.2
equal "routes" 0 "$(routes)"

# A session's lease can be taken back; the session goes on.
hold four 239.1.1.3
lease=$(json '{"action": "LEASES"}' | member payload.leases.0.lease)
nb revoke "$lease"
equal "routes after the revocation" 0 "$(routes)"
let_go four TERM || true # without its lease it is idle, so that it may have ended

# The broker's death is the end of all connections.
stop_daemon
start_daemon --config $work/netbrokerd.conf --state $work/state/state
hold five 239.1.1.4
nb mfc add --source 10.1.0.2 --group 239.1.1.5 --iif r0 --oifs r1
sleep 0.5 # until the state file is written
restarts_expected=1
kill -KILL "$(cat "/proc/$daemon/task/$daemon/children")"
within 5 "the next broker" nb ping
equal "routes" 1 "$(routes)"
equal "whose" client "$(nb --json mfc show | member mfc_rules.0.origin)"
wait "${holders[five]}" 2>/dev/null || true
