#!/bin/bash
# When an interface goes, the kernel frees its VIF but entries keep the number. The next interface
# that takes the number must not receive the old interface's packets.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
flow 239.1.1.1 20 20 0
vif=$(nb --json show | member vif_map.r1.vifi)

ip link delete r1
nb mfc add --source 10.1.0.2 --group 239.2.2.2 --iif r0 --oifs r2
equal "the VIF of r2, which is that r1 had" "$vif" "$(nb --json show | member vif_map.r2.vifi)"
receive leak receiver2 d2 239.1.1.1 1
send 239.1.1.1 100
sleep 0.2
stop_receiver leak
contains "packets on the new interface" "received 0 " "$(result leak)"
equal "the old route" partial "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.state)"
