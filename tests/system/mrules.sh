#!/bin/bash
# Packets are led to tables that are not the default one without anybody's doing: a rule for each
# inbound interface comes with the first route and goes with the last.
. "$(dirname "$0")/lib.sh"

# rules [-6]: ours, as "IIF TABLE".
rules() {
    ip "${@:--4}" -d mrule | awk '/proto 78/ { for (i = 1; i < NF; i++) {
        if ($i == "iif") iif = $(i + 1); if ($i == "lookup") print iif, $(i + 1) } }' | sort | xargs
}

rules_are() {
    [ "$(rules)" = "$1" ]
}

# The administrator's own, beside the kernel's.
theirs() {
    ip -d mrule | grep -cv -e 'proto 78' -e 'proto kernel' || true
}

make_topology
start_daemon
flow1=(--source 10.1.0.2 --group 239.1.1.1)

# The first packet behind the reply is seen.
nb mfc add "${flow1[@]}" --iif r0 --oifs r1 --table 100 >/dev/null
equal "the rules" "r0 100" "$(rules)"
flow 239.1.1.1 100 100 0
equal "packets counted" 100 "$(nb --json mfc show --table 100 | member mfc_rules.0.packets)"
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r2 --table 100 >/dev/null
flow 239.1.1.2 30 0 30
equal "one rule for two routes" "r0 100" "$(rules)"
nb doctor "${flow1[@]}" --table 100 >/dev/null || [ $? = 1 ]

# Another table, and IPv6.
nb mfc add --source 10.2.0.2 --group 239.1.1.3 --iif r1 --oifs r2 --table 200 >/dev/null
equal "two tables" "r0 100 r1 200" "$(rules)"
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r1 --table 100 >/dev/null
equal "IPv6" "r0 100" "$(rules -6)"
flow ff0e::1 30 30 0
flow 239.1.1.1 30 30 0

# The default table needs none; and what its routes take is not taken away from them.
nb mfc add --source 10.3.0.2 --group 239.1.1.4 --iif r2 --oifs r1 >/dev/null
contains "the reply for a table without packets" "those of r2 go to table 253" \
    "$(nb mfc add --source 10.3.0.2 --group 239.1.1.4 --iif r2 --oifs r1 --table 200)"
contains "the reply for the default table" "those of r0 go to table 100" \
    "$(nb mfc add --source 10.1.0.2 --group 239.1.1.5 --iif r0 --oifs r1)"
nb mfc del --source 10.1.0.2 --group 239.1.1.5 >/dev/null
equal "none for the default table" "r0 100 r1 200" "$(rules)"
nb mfc del --source 10.3.0.2 --group 239.1.1.4 >/dev/null
within 5 "it has given the interface up" rules_are "r0 100 r1 200 r2 200"
nb mfc del --source 10.3.0.2 --group 239.1.1.4 --table 200 >/dev/null
within 5 "and so has the other" rules_are "r0 100 r1 200"

# The broker dies: none is lost, none doubled, and no packet is.
receive stream receiver1 d1 239.1.1.1 2000
send 239.1.1.1 2000 1000 &
sleep 0.5
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
restarts_expected=1
contains "behind r1" "received 2000 lost 0 duplicates 0" "$(result stream)"
equal "rules of the next broker" "r0 100 r1 200" "$(rules)"
equal "rules of the next broker, IPv6" "r0 100" "$(rules -6)"

# Names: another one, and an interface that is made again.
ip link set r0 down
ip link set r0 name x0
within 5 "the rule has the new name" rules_are "r1 200 x0 100"
ip link set x0 name r0
ip link set r0 up
within 5 "and the old one again" rules_are "r0 100 r1 200"
ip link delete r0
within 5 "none for an interface that is gone" rules_are "r1 200"
connect 0 sender s0
within 10 "the links have a carrier" links_run
within 5 "it is back" rules_are "r0 100 r1 200"
flow 239.1.1.1 30 30 0

# With the last route of an interface goes its rule.
nb mfc add --source 10.3.0.2 --group 239.1.1.9 --iif r2 --oifs r1 --table 100 >/dev/null
nb mfc del "${flow1[@]}" --table 100 >/dev/null
equal "one route left" "r0 100 r1 200 r2 100" "$(rules)"
nb mfc del --source 10.1.0.2 --group 239.1.1.2 --table 100 >/dev/null
within 5 "none left for r0" rules_are "r1 200 r2 100"
nb mfc flush --all >/dev/null
within 5 "none left" rules_are ""
equal "IPv6" "" "$(rules -6)"

# Ranges and patterns: the rules are there before the first packet asks.
equal "the result, though the reply waited for the rule" added \
    "$(nb --json mfc add --group 239.4.0.0/16 --iif r0 --oifs r1 --table 100 | member result)"
equal "of a range" "r0 100" "$(rules)"
flow 239.4.1.1 3 3 0
nb mfc flush --all >/dev/null
within 5 "none left" rules_are ""
nb mfc add --group 239.5.0.0/16 --iif r+ --oifs r+ --table 100 >/dev/null
equal "of a pattern" "r0 100 r1 100 r2 100" "$(rules)"
flow 239.5.1.1 3 3 3
ip link add r7 type veth peer name q7
within 5 "of one that comes" rules_are "r0 100 r1 100 r2 100 r7 100"
ip link delete r7
within 5 "of one that goes" rules_are "r0 100 r1 100 r2 100"
nb mfc flush --all >/dev/null
within 5 "none left" rules_are ""

# An administrator's own rule is enough, and is nobody else's to delete.
ip mrule add iif r0 lookup 100
nb mfc add "${flow1[@]}" --iif r0 --oifs r1 --table 100 >/dev/null
equal "ours beside the administrator's" "" "$(rules)"
flow 239.1.1.1 30 30 0
nb mfc flush --all >/dev/null
equal "the administrator's" 1 "$(theirs)"
ip mrule del iif r0 lookup 100

# Rules that nobody needs any more are deleted by the next broker; the end of the service by the
# service.
nb mfc add "${flow1[@]}" --iif r0 --oifs r1 --table 100 >/dev/null
ip mrule add iif r1 lookup 100 protocol 78 pref 32000
ip mrule add iif r2 lookup 300 protocol 77 pref 32000
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
restarts_expected=2
within 5 "leftovers are gone" rules_are "r0 100"
equal "another's" 1 "$(theirs)"
stop_daemon
equal "ours after the end" "" "$(rules)"
equal "another's after the end" 1 "$(theirs)"
