#!/bin/bash
# The keeper itself is killed under 1,000 packets a second. The service manager has copies of its
# sockets: no packet is lost, clients wait instead of failing, and the routes are there again.
. "$(dirname "$0")/lib.sh"

make_topology
start_managed
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r2
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r1 --table 100
within 5 "the manager keeps the third table" grep -q FDNAME=mroute-ipv4-100 $work/notes

receive stream receiver1 d1 239.1.1.1 3000
send 239.1.1.1 3000 1000 &
keeper=$(status_of keeper.pid)
kill -KILL "$keeper"
killed=$(now_ms)
within 5 "the manager starts another" grep -q "died -9" $work/notes
nb ping
at_most "milliseconds until another serves" 2000 $(($(now_ms) - killed))
[ "$(status_of keeper.pid)" != "$keeper" ] || fail "the same keeper answers"

contains "packets" "lost 0 duplicates 0" "$(result stream)"
equal "routes" 3 "$(status_of mroute.routes)"
equal "packets counted" 3000 "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.packets)"
check_agreement
nb mfc add --source 10.1.0.2 --group 239.1.1.4 --iif r0 --oifs r1
flow 239.1.1.4 30 30 0

nb mfc del --source 10.1.0.2 --group 239.1.1.3 --table 100
within 5 "the manager gives the table up" grep -q "FDSTOREREMOVE=1 FDNAME=mroute-ipv4-100" \
    $work/notes

# A table is free at once, although the manager still has its copy.
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r1 --table 100
nb mfc add --source fd00:1::2 --group ff0e::3 --iif r0 --oifs r1 --table 100
within 5 "the manager keeps both" grep -q FDNAME=mroute-ipv6-100 $work/notes
kill -STOP "$daemon"
for _ in 1 2; do
    nb mfc flush --all --table 100
    nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r1 --table 100
    nb mfc add --source fd00:1::2 --group ff0e::3 --iif r0 --oifs r1 --table 100
done
kill -CONT "$daemon"
keeper=$(status_of keeper.pid)
kill -KILL "$keeper"
within 5 "the keeper is gone" test ! -e "/proc/$keeper"
equal "routes of the next keeper" 5 "$(status_of mroute.routes)"
check_agreement
