#!/bin/bash
# Interfaces that come and go all the time, which patterns mean or not: routes of others lose no
# packet, the kernel's 32 VIFs never run out for good, and in the end all is as it was.
. "$(dirname "$0")/lib.sh"

vifs() {
    tail -n +2 /proc/net/ip_mr_vif | awk '{print $2}' | sort | xargs
}

vifs_are() {
    [ "$(vifs)" = "$1" ]
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs p+,r2
nb mfc add --group 239.3.0.0/16 --iif p+ --oifs r1
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs p1,r2 --wait
flow 239.2.1.1 3 0 3
before=$(vifs)
routes=$(kernel_state)

receive bystander receiver1 d1 239.1.1.1 4000
receive pattern receiver2 d2 239.2.1.1 4000
send 239.1.1.1 4000 1000 &
send 239.2.1.1 4000 1000 &
for ((i = 0; i < 60; i++)); do
    ip link add p1 type veth peer name p2
    ip link set p1 up
    ip link set p2 up
    if ((i % 4 == 0)); then
        ip link set p1 down
        ip link set p1 name q1
        ip link delete q1
    else
        ip link delete p1
    fi
done
contains "packets of a route beside them" "received 4000 lost 0 duplicates 0" "$(result bystander)"
# While the outgoing interfaces of an entry are rewritten, the kernel forwards on other processors by
# what is half written (ipmr_update_thresholds() of net/ipv4/ipmr.c): some 30 ns, or longer where a
# virtual machine loses its processor then.
at_most "lost packets of the pattern's flow" 2 "$(result pattern | sed 's/.* lost \([0-9]*\) .*/\1/')"
within 5 "VIFs are given back" vifs_are "$before"
within 2 "the kernel's routes" test "$(kernel_state)" = "$routes"
check_agreement

# More interfaces than VIFs, all of them meant: those that find none wait, and nobody is hurt.
for ((i = 0; i < 20; i++)); do
    ip link add "p$i" type veth peer name "p$((i + 100))"
    ip link set "p$i" up
    ip link set "p$((i + 100))" up
done
nb ping >/dev/null
equal "VIFs in use" 32 "$(tail -n +2 /proc/net/ip_mr_vif | wc -l)"
flow 239.1.1.1 20 20 0
flow 239.2.1.1 20 0 20
check_agreement
for ((i = 0; i < 20; i++)); do
    ip link delete "p$i"
done
within 5 "VIFs are given back" vifs_are "$before"
flow 239.1.1.2 20 0 20
check_agreement
