#!/bin/bash
# A service manager is told when the service is ready, that it is alive, that it reads its
# configuration again, and that it stops.
. "$(dirname "$0")/lib.sh"

note() {
    grep -q "^$1" $work/notes
}

ready_again() {
    [ "$(grep -c READY=1 $work/notes)" = 2 ]
}

start_managed
within 5 "READY" note READY=1
equal "what is kept before the service is ready" "FDSTORE=1 FDPOLL=0 FDNAME=mroute-ipv4-253
FDSTORE=1 FDPOLL=0 FDNAME=mroute-ipv6-254
FDSTORE=1 FDPOLL=0 FDNAME=journal" "$(grep -B 10 -m 1 READY=1 $work/notes | grep FDSTORE)"

# Nobody can send a descriptor to the broker on the manager's socket either, where the kernel has
# SO_PASSRIGHTS (83), since Linux 6.16.
python3 - $socket <<'END' || fail "a descriptor could be sent"
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
try:
    client.getsockopt(socket.SOL_SOCKET, 83)
except OSError:
    sys.exit(0)
try:
    socket.send_fds(client, [b"x"], [0])
except PermissionError:
    sys.exit(0)
sys.exit(1)
END

within 20 "WATCHDOG" note WATCHDOG=1
kill -HUP "$(status_of keeper.pid)"
within 5 "RELOADING" note RELOADING=1
within 5 "READY again" ready_again
stop_daemon
within 5 "STOPPING" note STOPPING=1
equal "the last word" STOPPING=1 "$(tail -n 1 $work/notes)"
