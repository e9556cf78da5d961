#!/bin/bash
# SIGTERM and SIGINT end the service cleanly. SIGHUP reads the configuration again: a good one is
# used at once, a bad one is refused as a whole and the service goes on.
. "$(dirname "$0")/lib.sh"

logged() {
    grep -q "$1" $work/daemon.log
}

config=$work/netbrokerd.conf
echo "[service]
log-level = info" >$config
start_daemon --config $config
broker=$(status_of broker.pid)
nb mfc add --group 239.1.1.1 --iif lo --oifs lo

echo "[service]
log-level = debug" >$config
: >$work/daemon.log
kill -HUP "$daemon"
within 5 "the configuration is read again" logged "configuration read again"
nb ping
logged "debug: connection" || fail "the new log level is not in force"

echo "[service]
log-level = loud
colour = blue" >$config
kill -HUP "$daemon"
within 5 "a bad configuration is refused" logged "stays as it was"
logged "netbrokerd.conf:2" || fail "the log does not name the line"
equal "broker" "$broker" "$(status_of broker.pid)"
equal "routes" 1 "$(status_of mroute.routes)"

# A keeper that was stopped, or frozen with its broker, does not take the broker for dead.
kill -STOP "$broker" "$daemon"
sleep 17
kill -CONT "$daemon"
sleep 0.3
kill -CONT "$broker"
within 5 "the service answers" nb ping
equal "the broker after a pause of both" "$broker" "$(status_of broker.pid)"
stop_daemon
equal "the kernel's routes after SIGTERM" "" "$(ip mroute show)"

status=0
"$build/daemon/netbrokerd" --colour 2>/dev/null || status=$?
equal "exit status of a wrong option" 2 $status

status=0
"$build/daemon/netbrokerd" --foreground --log-level none 2>/dev/null || status=$?
equal "exit status of a log level that there is not" 2 $status

start_daemon
kill -INT "$daemon"
status=0
wait "$daemon" || status=$?
daemon=
equal "exit status after SIGINT" 0 $status
