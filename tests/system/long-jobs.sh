#!/bin/bash
# Long work of one user delays another's little: sets, deletions of many and what only looks are
# done in turns. What is deleted costs what its holder has, and not what everybody has.
. "$(dirname "$0")/lib.sh"

make_users
start_for_everybody "connections-per-user = 4000" "requests-per-second = 1000000"
ulimit -n 8192
python3 "$tests/long_jobs.py"
