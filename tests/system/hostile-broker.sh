#!/bin/bash
# A broker in an attacker's hands asks the keeper for what it must not have, out of order, too often
# and with descriptors: it is refused or ended, the keeper survives, and a good broker serves.
. "$(dirname "$0")/lib.sh"

calm_kernel
ip -4 mrule add iif lo lookup 150 # an administrator's own rule
python3 -c '
import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0netbroker-test")
s.listen()
time.sleep(120)' &
within 5 "somebody listens on an abstract socket" grep -q @netbroker-test /proc/net/unix

"${as_daemon[@]}" "$build/tests/system/hostile-broker" $socket 2>>$work/daemon.log &
daemon=$!
within 60 "a good broker serves" nb ping
grep -q "all was tried" $work/daemon.log || fail "the first hostile broker ended too early"
grep -q "life 8" $work/daemon.log || fail "not every hostile broker lived"
if grep "NOT AS IT SHOULD" $work/daemon.log >&2; then
    fail "the keeper gave way"
fi
contains "the administrator's rule" "iif lo lookup 150" "$(ip -4 mrule)"
equal "our rules" 0 "$(ip -4 -d mrule | grep -c 'proto 78' || true)"
nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null
nb join add --group 239.1.1.0/28 --iif lo >/dev/null

# A broker that cannot even run ends with its keeper.
broker=$(status_of broker.pid) keeper=$(status_of keeper.pid)
check_agreement
kill -STOP "$broker"
kill -KILL "$keeper"
wait "$daemon" || true
daemon=
within 5 "the broker ends with its keeper" [ ! -e "/proc/$broker" ]
