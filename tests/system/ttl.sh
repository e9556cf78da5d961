#!/bin/bash
# A packet passes an interface only if its TTL is above that interface's threshold.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon

nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 --ttls 2,10
flow 239.1.1.1 30 30 0 8
flow 239.1.1.1 30 30 30 12
flow 239.1.1.1 30 0 0 2
flow 239.1.1.1 30 30 0 10

refused out-of-range '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.1",
    "iif": "r0", "oifs": ["r1", "r2"], "ttls": [2]}}'
refused out-of-range '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.1",
    "iif": "r0", "oifs": ["r1", "r2"], "ttls": [2, 255]}}'
