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
FDSTORE=1 FDPOLL=0 FDNAME=joins-record" "$(grep -B 10 -m 1 READY=1 $work/notes | grep FDSTORE)"
within 20 "WATCHDOG" note WATCHDOG=1
kill -HUP "$(status_of keeper.pid)"
within 5 "RELOADING" note RELOADING=1
within 5 "READY again" ready_again
stop_daemon
within 5 "STOPPING" note STOPPING=1
equal "the last word" STOPPING=1 "$(tail -n 1 $work/notes)"
