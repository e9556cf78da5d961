#!/bin/bash
# What cannot work is refused, each with its own code, and nothing is half-applied.
. "$(dirname "$0")/lib.sh"

# add_refused CODE MEMBERS: an otherwise right request, with these members in place of its own.
add_refused() {
    refused "$1" "$(python3 -c 'import json, sys
payload = {"source": "10.1.0.2", "group": "239.1.1.1", "iif": "r0", "oifs": ["r1"]}
payload.update(json.loads(sys.argv[1]))
print(json.dumps({"action": "ADD_MFC", "payload": payload}))' "$2")"
}

make_topology
start_daemon
nb mfc add --source 10.1.0.9 --group 239.9.9.9 --iif r0 --oifs r1 # it stays through all of this

add_refused not-forwarded '{"group": "224.0.0.5"}'
add_refused not-multicast '{"group": "10.1.1.1"}'
add_refused invalid-address '{"group": "239.1.1.0/33"}'
add_refused invalid-address '{"source": "10.1.0.256"}'
add_refused loop '{"oifs": ["r1", "r0"]}'
add_refused not-found '{"iif": "eth99"}'
add_refused not-found '{"oifs": ["r1", "eth99"]}'
add_refused invalid-name '{"iif": "a/b"}'
add_refused invalid-name '{"iif": "r0\n"}'
add_refused invalid-name '{"oifs": ["eth%d"]}'
add_refused invalid-name '{"oifs": ["sixteen-letters-"]}'
add_refused invalid-name '{"iif": ""}'
add_refused invalid-type '{"oifs": "r1"}'
add_refused invalid-type '{"iif": 3}'
add_refused out-of-range '{"table": 0}'
add_refused unknown-field '{"oif": "r1"}'
refused missing-field '{"action": "ADD_MFC", "payload": {"group": "239.1.1.1", "iif": "r0"}}'
refused unknown-action '{"action": "add_mfc"}'
refused not-found '{"action": "DEL_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.1"}}'

status=0
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs eth99 2>/dev/null || status=$?
equal "exit status when the daemon refuses" 1 $status
status=0
nb mfc add --source 10.1.0.2 --grupp 239.1.1.1 2>/dev/null || status=$?
equal "exit status of wrong usage" 2 $status
status=0
nb --socket /run/nowhere ping 2>/dev/null || status=$?
equal "exit status without a daemon" 3 $status
equal "routes after all of this" 1 "$(status_of mroute.routes)"
