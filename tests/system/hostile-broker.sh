#!/bin/bash
# A broker in an attacker's hands asks the keeper for what it must not have, out of order, too often
# and with descriptors: it is refused or ended, the keeper survives, and a good broker serves.
. "$(dirname "$0")/lib.sh"

calm_kernel
ip -4 mrule add iif lo lookup 150 # an administrator's own rule
ip link add nb-foreign type bridge && ip link set nb-foreign alias 'netbroker nb-foreign' # no tap of ours
ip link add nbr0 type bridge && ip addr add 192.0.2.200/27 dev nbr0
python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.bind("\0netbroker-test")
s.listen()
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\0netbroker-manager")
while True:
    print(manager.recv(4096).decode(), flush=True)' >$work/manager &
within 5 "somebody listens on an abstract socket" grep -q @netbroker-manager /proc/net/unix

# The keeper has to reach an abstract socket, the manager's; the broker has not.
NOTIFY_SOCKET=@netbroker-manager "${as_daemon[@]}" "$build/tests/system/hostile-broker" $socket \
    "${NB_WITHOUT_FENCES:-0}" 2>>$work/daemon.log &
daemon=$!
within 60 "a good broker serves" nb ping
grep -q "all was tried" $work/daemon.log || fail "the first hostile broker ended too early"
grep -q "life 10" $work/daemon.log || fail "not every hostile broker lived"
if grep "NOT AS IT SHOULD" $work/daemon.log >&2; then
    fail "the keeper gave way"
fi
grep -qx "STATUS=hostile?MAINPID=1" $work/manager || fail "the manager was told something else"
contains "the log, of the table whose socket does not receive any more" "a broker spoilt the ipv4" \
    "$(cat $work/daemon.log)"
contains "the administrator's rule" "iif lo lookup 150" "$(ip -4 mrule)"
equal "our rules" 0 "$(ip -4 -d mrule | grep -c 'proto 78' || true)"
ip link show nb-foreign >/dev/null || fail "a foreign interface is gone"
[ -z "$(ip link show nbr0 type bridge >/dev/null || echo gone)" ] || fail "the bridge is gone"
! ip link show nb-hostile >/dev/null 2>&1 || fail "a tap was made"
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
