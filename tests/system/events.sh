#!/bin/bash
# Subscribers learn of each change in order, with numbers that have no gap. One that does not read
# is told how many it missed, and nobody else notices.
. "$(dirname "$0")/lib.sh"

# The one that does not read is let be, however long the others take.
cat >$work/netbrokerd.conf <<EOT
[limits]
reply-seconds = 3600
EOT
make_topology
start_daemon --config $work/netbrokerd.conf
python3 "$tests/events.py"
