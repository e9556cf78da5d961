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

# IPv6 has 32 of its own.
for ((i = 0; i < 16; i++)); do
    nb mfc add --source fd00::1 --group "ff0e::$i" --iif "a$i" --oifs "b$i" >/dev/null
done
equal "IPv6 interfaces in use" 32 "$(wc -l < <(tail -n +2 /proc/net/ip6_mr_vif))"
refused limit '{"action": "ADD_MFC", "payload": {"source": "fd00::1", "group": "ff0e::99",
    "iif": "a0", "oifs": ["b0", "a16"]}}'
refused limit '{"action": "ADD_MFC", "payload": {"group": "ff0e:1::/32", "iif": "a16",
    "oifs": ["b0"]}}'
nb mfc add --source 10.0.0.1 --group 239.2.2.2 --iif a16 --oifs b16 >/dev/null
check_agreement

# A pattern means more interfaces than there are VIFs: it takes what is left, and hurts nobody.
nb mfc add --group ff0e:2::/32 --iif a+ --oifs b+ >/dev/null
equal "IPv6 interfaces in use" 32 "$(wc -l < <(tail -n +2 /proc/net/ip6_mr_vif))"
check_agreement
nb mfc flush >/dev/null
equal "IPv6 interfaces in use after the last route" 0 \
    "$(wc -l < <(tail -n +2 /proc/net/ip6_mr_vif))"
