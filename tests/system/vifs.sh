#!/bin/bash
# The kernel routes between 32 interfaces at most. The 33rd is refused without a trace, and
# deleting routes gives interfaces back.
. "$(dirname "$0")/lib.sh"

start_daemon
for ((i = 0; i < 18; i++)); do
    ip link add "a$i" type veth peer name "b$i"
    ip link set "a$i" up
    ip link set "b$i" up
done
for ((i = 0; i < 16; i++)); do
    nb mfc add --source 10.0.0.1 --group "239.1.1.$i" --iif "a$i" --oifs "b$i"
done
equal "interfaces in use" 32 "$(wc -l < <(tail -n +2 /proc/net/ip_mr_vif))"

refused limit '{"action": "ADD_MFC", "payload": {"source": "10.0.0.1", "group": "239.2.2.2",
    "iif": "a0", "oifs": ["b0", "a16"]}}'
refused limit '{"action": "ADD_MFC", "payload": {"source": "10.0.0.1", "group": "239.1.1.0",
    "iif": "a0", "oifs": ["b0", "a16"]}}'
check_agreement

nb mfc del --source 10.0.0.1 --group 239.1.1.7
refused limit '{"action": "ADD_MFC", "payload": {"source": "10.0.0.1", "group": "239.2.2.2",
    "iif": "a16", "oifs": ["b16", "a17"]}}'
nb mfc add --source 10.0.0.1 --group 239.2.2.2 --iif a16 --oifs b16
equal "interfaces in use" 32 "$(wc -l < <(tail -n +2 /proc/net/ip_mr_vif))"
nb mfc flush
equal "interfaces in use after the last route" 0 "$(wc -l < <(tail -n +2 /proc/net/ip_mr_vif))"
