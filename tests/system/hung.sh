#!/bin/bash
# A broker that hangs is killed by its keeper, and another one takes over what there was; clients of
# the one that hung are told by the end of their connections.
. "$(dirname "$0")/lib.sh"

start_daemon
nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null
hung=$(status_of broker.pid)
kill -STOP "$hung"
restarts_expected=1
# It is not killed before it has been silent for 15 s.
within 25 "the end of the broker that hangs" [ ! -e "/proc/$hung" ]
within 10 "another broker" nb ping
equal "routes of the next broker" 1 "$(status_of mroute.routes)"
grep -q "the broker does not answer; killing it" $work/daemon.log || fail "the log does not say why"
