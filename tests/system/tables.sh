#!/bin/bash
# A route of another table forwards what a rule leads there, as one of the service's does. The table is opened with its first
# route and closed with its last.
. "$(dirname "$0")/lib.sh"

tables() {
    status_of mroute.tables | python3 -c \
        'import json, sys; print(*(t["table"] for t in json.load(sys.stdin)))'
}

make_topology
start_daemon
equal "tables at first" "253 254" "$(tables)"

nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1 --table 100
equal "tables with one more" "253 254 100" "$(tables)"
check_agreement
ip mrule add iif r0 lookup 100 # one of the administrator's does no harm
flow 239.1.1.1 100 100 0
equal "packets counted" 100 "$(nb --json mfc show --table 100 | member mfc_rules.0.packets)"

nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r2
check_agreement # the same key in two tables
nb mfc del --source 10.1.0.2 --group 239.1.1.1 --table 100
equal "tables after the last route" "253 254" "$(tables)"
# The kernel has it for good, whoever the broker is.
equal "tables that were ever opened" 3 "$(status_of mroute.tables_ever)"
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "another broker" nb ping
equal "tables that were ever opened, of the next broker" "3 of 256" \
    "$(status_of mroute.tables_ever) of $(status_of mroute.tables_ever_limit)"

# Requests that arrive together may delete a table's last route and add another one.
python3 - "$tests" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import protocol
client = protocol.Client()
flow = {"source": "10.1.0.2", "group": "239.1.1.1", "table": 100}
requests = [{"action": "ADD_MFC", "payload": {**flow, "iif": "r0", "oifs": ["r1"]}},
            {"action": "DEL_MFC", "payload": flow}] * 50
client.send(b"".join(protocol.json.dumps(request).encode() for request in requests))
for _ in requests:
    reply = client.receive()
    protocol.expect("the status", "success", reply["status"])
END
refused out-of-range '{"action": "ADD_MFC", "payload": {"group": "239.1.1.1", "iif": "r0",
    "oifs": ["r1"], "table": 1000000000}}'
