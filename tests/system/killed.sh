#!/bin/bash
# Clients that are killed in the middle of anything leave nothing behind.
. "$(dirname "$0")/lib.sh"

need_root "to count the broker's descriptors"
make_topology
start_daemon
for i in {1..200}; do
    echo "mfc add --source 10.1.0.$i --group 239.1.1.1 --iif r0 --oifs r1"
done | xargs -L 1 "$build/client/netbroker" >/dev/null
python3 "$tests/killed.py" 10
equal "routes" 200 "$(status_of mroute.routes)"
