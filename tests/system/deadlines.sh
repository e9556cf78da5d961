#!/bin/bash
# Clients that send half a request, ask nothing, or read nothing are not waited for long; those who
# do what they should notice nothing of them.
. "$(dirname "$0")/lib.sh"

ulimit -n "$(ulimit -H -n)"
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 1200 ] ||
    skip "needs 1,200 descriptors"
cat >$work/deadlines.conf <<END
[limits]
connections-per-user = 1100
request-seconds = 2
idle-seconds = 3
reply-seconds = 3
END
start_daemon --config $work/deadlines.conf
python3 "$tests/deadlines.py"
grep -q 'debug: connection of uid .* ends: half_request' $work/daemon.log ||
    fail "the log says nothing of it"
