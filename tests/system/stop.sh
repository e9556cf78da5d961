#!/bin/bash
# A route of one source goes before the route from any source: without outgoing interfaces it stops
# its flow.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --group 239.1.1.1 --iif r0 --oifs r1,r2
flow 239.1.1.1 30 30 30
json '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.1", "iif": "r0",
    "oifs": []}}'
flow 239.1.1.1 30 0 0
nb mfc del --source 10.1.0.2 --group 239.1.1.1
flow 239.1.1.1 30 30 30
