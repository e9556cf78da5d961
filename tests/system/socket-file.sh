#!/bin/bash
# The socket is for its user and its group. The service removes the socket that it made when it stops,
# and when its start fails; but no other that is in its place, and none that a manager made. In a
# folder that it may not write to it stays, and the next start replaces it.
. "$(dirname "$0")/lib.sh"

own=$work/own/netbroker.sock
user=()
if [ "$(id -u)" = 0 ]; then
    make_users
    user=(--user operator) # whose folder it becomes
fi

# Starts a service with the socket $own.
start_own() {
    socket=$own NETBROKER_SOCKET=$own
    start_daemon "${user[@]}"
}

start_own
[ -S $own ] || fail "there is no socket"
equal "mode of the socket" 660 "$(stat -c %a $own)"
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
stop_daemon
[ ! -e $own ] || fail "the socket stays"

# Nothing is left of a start that fails.
status=0
"${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground --socket $own "${user[@]}" --state /proc/state \
    2>$work/failure || status=$?
equal "exit status of a start that fails" 1 $status
contains "why" "/proc/state is not writable" "$(cat $work/failure)"
[ ! -e $own ] || fail "the socket of the start that failed stays"

# Another service's.
start_own
rm $own
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' $own
stop_daemon
[ -S $own ] || fail "the socket of another service is gone"

# What nobody listens on is replaced.
start_own
stop_daemon
[ ! -e $own ] || fail "the socket stays"

# The manager's.
socket=/run/netbroker/netbroker.sock
export NETBROKER_SOCKET=$socket
start_managed
stop_daemon
[ -S $socket ] || fail "the manager's socket is gone"

if [ "$(id -u)" = 0 ]; then
    rm $socket
    start_daemon
    stop_daemon
    [ -S $socket ] || fail "it went from a folder of root"
    start_daemon
fi
