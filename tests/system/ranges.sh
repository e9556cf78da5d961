#!/bin/bash
# Ranges of groups and of sources: what is in them passes from the first packet on, what is beside
# them does not. A prefix may have host bits, which do not count.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --group 225.1.2.0/24 --iif r0 --oifs r1
nb mfc add --group ff2e::/121 --iif r0 --oifs r1
contains "a prefix with bits behind its length" 10.1.0.0/24 \
    "$(nb mfc add --source 10.1.0.9/24 --group 225.2.2.2 --iif r0 --oifs r1 2>&1 || true)"
nb mfc add --source 10.1.0.0/24 --group 225.2.2.2 --iif r0 --oifs r1
nb mfc add --source 10.1.0.2 --group 225.3.3.0/24 --iif r0 --oifs r1
nb mfc add --source fd00:1::/64 --group ff0e::5:0/112 --iif r0 --oifs r1,r2
contains "the source" 10.1.0.0/24 "$(nb mfc show --group 225.2.2.2)"

for group in 225.1.2.0 225.1.2.3 225.1.2.255 225.2.2.2 225.3.3.3 ff2e::1 ff2e::42 ff2e::7f; do
    flow $group 3 3 0
done
flow ff0e::5:1 3 3 3
for group in 225.1.1.255 225.1.3.0 225.2.2.3 225.3.2.255 225.3.4.0 ff2e::80 ff2f::42 \
    ff0e::4:ffff ff0e::6:0; do
    flow $group 3 0 0
done
equal "learned routes" 9 "$(status_of mroute.learned)"

# Another source.
inside sender ip address add 10.9.0.2/24 dev s0
inside sender ip address delete 10.1.0.2/24 dev s0
flow 225.1.2.3 3 3 0
flow 225.2.2.2 3 0 0
flow 225.3.3.3 3 0 0
contains "the flow of the other source" 10.9.0.2 "$(nb mfc show --group 225.1.2.3)"
equal "learned routes" 10 "$(status_of mroute.learned)"
