#!/bin/bash
# When an interface goes, the kernel frees its VIF but entries keep the number. The next interface
# that takes the number must not receive the old interface's packets.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --group 239.3.0.0/16 --iif r0 --oifs r1
nb mfc add --group 239.4.1.1 --iif r0 --oifs r1
flow 239.3.1.1 3 3 0
flow 239.4.1.1 20 20 0
flow 239.1.1.1 20 20 0
vif=$(nb --json show | member vif_map.r1.vifi)

ip link delete r1
nb mfc add --source 10.1.0.2 --group 239.2.2.2 --iif r0 --oifs r2
equal "the VIF of r2, which is that r1 had" "$vif" "$(nb --json show | member vif_map.r2.vifi)"
for group in 239.1.1.1 239.3.1.1 239.3.2.2 239.4.1.1; do # by name, learned, new, of any source
    receive leak receiver2 d2 $group 1
    send $group 100
    sleep 0.2
    stop_receiver leak
    contains "packets of $group on the new interface" "received 0 " "$(result leak)"
done
equal "the old route" partial "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.state)"
