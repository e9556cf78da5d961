#!/bin/bash
# The kernel's own listing shows a route as resolved while it is there, and then nothing.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon

nb mfc add --source 10.0.0.1 --group 224.0.1.20 --iif r0 --oifs r1,r2 --ttls 2,3
nb mfc add --source fc01::1 --group ff05::114 --iif r0 --oifs r1
check_agreement
equal "IPv4" "(10.0.0.1,224.0.1.20) Iif: r0 Oifs: r1(ttl 2) r2(ttl 3) State: resolved" \
    "$(ip mroute show | xargs)"
equal "IPv6" "(fc01::1,ff05::114) Iif: r0 Oifs: r1 State: resolved" \
    "$(ip -6 mroute show | xargs)"

nb mfc del --source 10.0.0.1 --group 224.0.1.20
nb mfc del --source fc01::1 --group ff05::114
equal "IPv4 and IPv6" "" "$(ip mroute show table all)$(ip -6 mroute show table all)"
