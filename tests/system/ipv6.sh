#!/bin/bash
# The same for IPv6; its routes have no TTL thresholds.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon

nb mfc add --source fd00:1::2 --group ff0e::101 --iif r0 --oifs r1,r2
nb mfc add --source :: --group ff0e::102 --iif r0 --oifs r1,r2
nb mfc add --group ff05::103 --iif r0 --oifs r2
check_agreement
flow ff0e::101 100 100 100
flow ff0e::102 100 100 100
flow ff05::103 50 0 50
equal "packets counted" 100 "$(nb --json mfc show --group ff0e::101 | member mfc_rules.0.packets)"

refused invalid-address '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2",
    "group": "ff0e::101", "iif": "r0", "oifs": ["r1"]}}'
refused not-forwarded '{"action": "ADD_MFC", "payload": {"group": "ff02::1", "iif": "r0",
    "oifs": ["r1"]}}'
refused unsupported '{"action": "ADD_MFC", "payload": {"group": "ff0e::1", "iif": "r0",
    "oifs": ["r1"], "ttls": [2]}}'

nb mfc del --source fd00:1::2 --group ff0e::101
flow ff0e::101 50 0 0
nb mfc flush --family ipv6
equal "routes" 0 "$(status_of mroute.routes)"
