#!/bin/bash
# A route from any source may have its inbound interface among the outgoing ones, as existing
# clients send it; a route of one source would send packets back onto their own link.
. "$(dirname "$0")/lib.sh"

start_daemon

nb mfc add --group 239.1.1.1 --iif lo --oifs lo
equal "the kernel's route" "(0.0.0.0,239.1.1.1) Iif: lo Oifs: lo State: resolved" \
    "$(ip mroute show | xargs)"
equal "the route shown" '["lo"]' "$(nb --json mfc show | member mfc_rules.0.oifs)"
refused loop '{"action": "ADD_MFC", "payload": {"source": "10.0.0.1", "group": "239.1.1.1",
    "iif": "lo", "oifs": ["lo"]}}'
nb mfc del --group 239.1.1.1
equal "the kernel's routes" "" "$(ip mroute show)"
