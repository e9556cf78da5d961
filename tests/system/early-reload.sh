#!/bin/bash
# Reloads that are asked for while the service starts: it serves all the same, with the newest files.
. "$(dirname "$0")/lib.sh"

make_topology
for i in $(seq 1 4000); do
    echo "route source 10.1.0.2 group 239.1.$((i / 256)).$((i % 256)) iif r0 oifs r1"
done >$work/multicast.conf
echo "route group 239.3.1.1 iif r0 oifs r2 table 101" >>$work/multicast.conf
echo "route group 239.3.1.2 iif r0 oifs r2 table 102" >>$work/multicast.conf

# Starts no process, so that it sees the broker's first moment.
wait_for_broker() {
    local end=$((SECONDS + 10))

    broker=
    until [ -n "$broker" ]; do
        [ $SECONDS -le $end ] || fail "there is no broker"
        read -r broker <"/proc/$daemon/task/$daemon/children" || true
    done
}

routes_are() {
    [ "$(status_of mroute.routes)" = "$1" ]
}

# The first reloads come before the broker has prepared itself for signals.
for moment in stopped stopped running running running; do
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground --socket $socket \
        --multicast $work/multicast.conf 2>>$work/daemon.log &
    daemon=$!
    wait_for_broker
    [ $moment = running ] || kill -STOP "$broker"
    sleep 0.02
    kill -HUP $daemon
    sleep 0.005
    kill -HUP $daemon
    [ $moment = running ] || sleep 0.05
    kill -CONT "$broker"
    within 20 "netbrokerd serves" nb ping
    within 10 "all routes" routes_are 4002
    kill -TERM $daemon
    wait $daemon || fail "the end of netbrokerd: $?"
done
daemon=
