#!/bin/bash
# kill -9 of the broker in the middle of a COMMIT of 20,000 routes: all of them are there or none,
# with their holder. See history_set.py.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

printf '[limits]\nrequests-per-second = 1000000\n' >$work/netbrokerd.conf
start_history --config $work/netbrokerd.conf
python3 "$tests/history_set.py" 20000 "${NB_ROUNDS:-20}"
count_restarts
