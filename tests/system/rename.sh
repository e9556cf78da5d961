#!/bin/bash
# Routes follow an interface to its new name under traffic; one that waited for that name is
# completed; and patterns mean the names as they are.
. "$(dirname "$0")/lib.sh"

oifs_of() {
    nb --json mfc show --source 10.1.0.2 --group "$1" | member mfc_rules.0.oifs
}

oifs_are() {
    [ "$(oifs_of "$1")" = "$2" ]
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs x1,r2 --wait
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs x+
flow 239.2.1.1 3 0 0

# The kernel renames an interface that is up since Linux 5.x only where it may: down is always right.
receive stream receiver2 d2 239.1.1.1 1500
send 239.1.1.1 1500 1000 &
ip link set r1 down
ip link set r1 name x1
ip link set x1 up
within 2 "the route follows" oifs_are 239.1.1.1 '["x1", "r2"]'
within 2 "the one that waited is complete" route_is installed 239.1.1.2
within 2 "the pattern means it" oifs_are 239.2.1.1 '["x1"]'
contains "packets behind r2" "received 1500 lost 0 duplicates 0" "$(result stream)"
within 2 "x1 has a carrier" sh -c 'ip -o link show x1 | grep -q LOWER_UP'
flow 239.1.1.1 30 30 30
flow 239.1.1.2 30 30 30
flow 239.2.1.1 30 30 0
check_agreement

# Back: the pattern does not mean it any more; all others follow.
ip link set x1 down
ip link set x1 name r1
ip link set r1 up
within 2 "the route follows" oifs_are 239.1.1.1 '["r1", "r2"]'
within 2 "r1 has a carrier" sh -c 'ip -o link show r1 | grep -q LOWER_UP'
flow 239.1.1.1 30 30 30
flow 239.1.1.2 30 30 30
flow 239.2.1.1 10 0 0

# The inbound one.
ip link set r0 down
ip link set r0 name x0
ip link set x0 up
within 2 "x0 has a carrier" sh -c 'ip -o link show x0 | grep -q LOWER_UP'
flow 239.1.1.1 30 30 30
equal "the inbound interface" x0 "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.iif)"
