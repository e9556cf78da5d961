#!/bin/bash
# Routes of one source and of any source: every packet arrives behind both interfaces and is
# counted, and after the route is deleted none does.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
equal "whether users have other numbers here" \
    "$(grep -qx ' *0 *0 *4294967295' /proc/self/uid_map && echo false || echo true)" \
    "$(status_of identity.uids_mapped)"

nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1,r2
check_agreement
flow 239.1.1.1 100 100 100
flow 239.1.1.2 100 100 100

for group in 239.1.1.1 239.1.1.2; do
    route=$(nb --json mfc show --group $group)
    equal "packets counted for $group" 100 "$(member mfc_rules.0.packets <<<"$route")"
    equal "bytes counted for $group" 12800 "$(member mfc_rules.0.bytes <<<"$route")"
done
equal "interfaces in use" '["r0", "r1", "r2"]' "$(nb --json show | member vif_map | python3 -c \
    'import json, sys; print(json.dumps(sorted(json.load(sys.stdin))))')"

nb mfc del --source 10.1.0.2 --group 239.1.1.1
flow 239.1.1.1 50 0 0
flow 239.1.1.2 50 50 50 # the other one goes on
nb mfc del --group 239.1.1.2
flow 239.1.1.2 50 0 0
equal "routes" 0 "$(status_of mroute.routes)"
equal "interfaces in use" "{}" "$(nb --json show | member vif_map)"
