#!/bin/bash
# One user takes all that he gets: connections, leases and requests. Another one is served.
. "$(dirname "$0")/lib.sh"

limit_is() {
    [ "$(status_of limits.leases_per_user)" = "$1" ]
}

need_root "to be several users"
cat >$work/quotas.conf <<END
[limits]
connections = 40
leases-per-user = 5
requests-per-second = 50
END
cat >$work/policy.conf <<END
[allow all]
everyone = yes
verbs = *
END
start_daemon --config $work/quotas.conf --policy $work/policy.conf
chmod 666 $socket
python3 "$tests/quotas.py"
equal "lines about the greedy user" 1 \
    "$(grep -c 'warning: user 1000 has 10 connections; more are refused' $work/daemon.log)"

# The administrator helps at once, by a file that is read again.
sed -i 's/leases-per-user = 5/leases-per-user = 6/' $work/quotas.conf
kill -HUP "$daemon"
within 10 "the new limit" limit_is 6
