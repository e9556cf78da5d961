#!/bin/bash
# 50 clients on a service that has descriptors for fewer: those who are connected are served, the
# others wait without costing time or filling the log, and come in when there is room.
. "$(dirname "$0")/lib.sh"

printf '[limits]\nconnections-per-user = 1000\n' >$work/many.conf
ulimit -n 64
start_daemon --config $work/many.conf
broker=$(status_of broker.pid)

python3 "$tests/descriptors.py" "$broker"
told=$(grep -c 'warning: not accepting connections' $work/daemon.log)
at_most "lines about it" 2 "$told"
[ "$told" -ge 1 ] || fail "the log says nothing of it"
