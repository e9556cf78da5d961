#!/bin/bash
# The same random history as in history.sh under a service manager that keeps descriptors, and
# kill -9 of the keeper: the next one has all that was acknowledged from the manager.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

prepare_history
start_managed "${settings[@]}"
chmod 666 $socket
history run --victim keeper --kills $((requests / 9)) --flights 6
equal "deaths that the manager saw" "died -9" "$(grep -o '^died.*' $work/notes | sort -u)"
count_restarts
