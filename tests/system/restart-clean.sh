#!/bin/bash
# kill -9 of the keeper, and no service manager: the next start finds the socket's file and the rules
# of before, and cleans them up. Its broker ends with it, and so do its routes and joins.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

# rules [-6]: ours, as "IIF TABLE".
rules() {
    ip "${@:--4}" -d mrule | awk '/proto 78/ { for (i = 1; i < NF; i++) {
        if ($i == "iif") iif = $(i + 1); if ($i == "lookup") print iif, $(i + 1) } }' | sort | xargs
}

rules_are() {
    [ "$(rules -4), $(rules -6)" = "$1" ]
}

no_routes() {
    [ -z "$(ip mroute show table all)$(ip -6 mroute show table all)" ]
}

kill_service() {
    local broker

    broker=$(status_of broker.pid)
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null || true
    within 5 "the broker ends" test ! -e "/proc/$broker"
    within 5 "the kernel's routes go" no_routes
    within 5 "the group is left" no_member r0 239.1.0.9
}

make_topology
ip mrule add iif r1 table 100 priority 99 # an administrator's
theirs=$(ip -d mrule | grep -v 'proto 78')
start_daemon --state $work/state/routes
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1 --table 100 >/dev/null
nb mfc add --source 10.2.0.2 --group 239.1.1.2 --iif r1 --oifs r2 --table 200 >/dev/null
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r2 --table 100 >/dev/null
nb join add --group 239.1.0.9 --iif r0
within 5 "all is in the file" grep -q 239.1.0.9 $work/state/routes
kill_service
rules_are "r0 100 r1 200, r0 100" || fail "the rules are left, or this test tests nothing"
[ -S $socket ] || fail "the socket's file is left, or this test tests nothing"

# With the state file all is wanted as before, and no rule is there twice.
start_daemon --state $work/state/routes
rules_are "r0 100 r1 200, r0 100" || fail "rules: $(rules), $(rules -6)"
equal "routes" 3 "$(status_of mroute.routes)"
flow 239.1.1.1 30 30 0
is_member r0 239.1.0.9 || fail "239.1.0.9 is not joined again"
nb mfc del --source 10.2.0.2 --group 239.1.1.2 --table 200 >/dev/null
within 5 "its rule goes with it" rules_are "r0 100, r0 100"
kill_service

# Without, nothing is wanted.
start_daemon
within 5 "no rule is left" rules_are ", "
equal "the rules of others" "$theirs" "$(ip -d mrule)"
equal "routes" 0 "$(status_of mroute.routes)"
flow 239.1.1.1 10 0 0
