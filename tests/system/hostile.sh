#!/bin/bash
# Clients that send garbage, too much, half of something, descriptors, or come by the thousand hurt
# themselves only: another client is served all the time.
. "$(dirname "$0")/lib.sh"

ulimit -n "$(ulimit -H -n)"
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 1200 ] ||
    skip "needs 1,200 descriptors"
printf '[limits]\nconnections-per-user = 1100\n' >$work/many.conf
start_daemon --config $work/many.conf
nb mfc add --group 239.1.1.1 --iif lo --oifs lo
python3 "$tests/hostile.py"
equal "routes" 1 "$(status_of mroute.routes)"
