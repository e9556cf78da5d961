#!/bin/bash
# Subscribers learn of each change in order, with numbers that have no gap. One that does not read
# is told how many it missed, and nobody else notices.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
python3 "$tests/events.py"
