#!/bin/bash
# Nobody waits for what others ask: with many routes, one user asks on many connections for lists
# from which nothing is selected, another's questions are answered as before.
. "$(dirname "$0")/lib.sh"

make_users
start_for_everybody "requests-per-second = 1000000"
ip link add in type veth peer name out
for name in in out; do ip link set $name up; done
broker=$(status_of broker.pid)
python3 "$tests/turns.py"
equal "the broker is the same" "$broker" "$(status_of broker.pid)"
