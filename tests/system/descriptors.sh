#!/bin/bash
# 50 clients on a service that has descriptors for fewer: those who are connected are served, the
# others wait without costing time or filling the log, and come in when there is room.
. "$(dirname "$0")/lib.sh"

printf '[limits]\nconnections-per-user = 1000\n' >$work/many.conf

# crowded: the broker has descriptors for some of the clients.
crowded() {
    python3 "$tests/descriptors.py" "$(status_of broker.pid)"
    told=$(grep -c 'warning: not accepting connections' $work/daemon.log)
    at_most "lines about it" 2 "$told"
    [ "$told" -ge 1 ] || fail "the log says nothing of it"
}

# as_broker COMMAND...: as its user, who may change its limits.
as_broker() {
    local ids

    if [ "$(id -u)" != 0 ]; then
        "$@"
        return
    fi
    ids=$(awk '/^(Uid|Gid):/ { print $2 }' "/proc/$broker/status" | xargs)
    setpriv --reuid "${ids% *}" --regid "${ids#* }" --clear-groups "$@"
}

# It was started with more than it has now: the kernel gives no more.
ulimit -n "$(ulimit -H -n)"
start_daemon --config $work/many.conf
broker=$(status_of broker.pid)
as_broker prlimit --pid "$broker" --nofile=40:40
crowded
contains "the reason" "Too many open files" "$(grep 'not accepting' $work/daemon.log)"
stop_daemon
rm $work/daemon.log

ulimit -n 64
start_daemon --config $work/many.conf
crowded
