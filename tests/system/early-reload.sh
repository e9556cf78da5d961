#!/bin/bash
# Reloads that are asked for while the service starts: it serves all the same, with the newest files.
. "$(dirname "$0")/lib.sh"

make_topology
for i in $(seq 1 4000); do
    echo "route source 10.1.0.2 group 239.1.$((i / 256)).$((i % 256)) iif r0 oifs r1"
done >$work/multicast.conf
echo "route group 239.3.1.1 iif r0 oifs r2 table 101" >>$work/multicast.conf
echo "route group 239.3.1.2 iif r0 oifs r2 table 102" >>$work/multicast.conf

broker_runs() {
    [ -n "$(cat "/proc/$daemon/task/$daemon/children")" ]
}

routes_are() {
    [ "$(status_of mroute.routes)" = "$1" ]
}

for _ in 1 2 3; do
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground --socket $socket \
        --multicast $work/multicast.conf 2>>$work/daemon.log &
    daemon=$!
    within 10 "the broker" broker_runs
    sleep 0.02
    kill -HUP $daemon
    sleep 0.005
    kill -HUP $daemon
    within 20 "netbrokerd serves" nb ping
    within 10 "all routes" routes_are 4002
    kill -TERM $daemon
    wait $daemon || fail "the end of netbrokerd: $?"
done
daemon=
