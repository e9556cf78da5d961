#!/bin/bash
# 20,000 groups that nobody asked for: the kernel keeps in mind as many as the configuration allows,
# the others are dropped at once and counted, and nobody else suffers. 10,000 new groups of a range,
# at 5,000 and 20,000 a second: not even the first packet of one of them is lost.
. "$(dirname "$0")/lib.sh"

cap=64

unresolved() {
    awk '$3 == -1' /proc/net/ip_mr_cache | wc -l
}

test_unresolved() {
    [ "$(unresolved)" -le $cap ]
}

learned_are() {
    [ "$(status_of mroute.learned)" = "$1" ]
}

dropped_is_total() {
    [ $(($(status_of mroute.unmatched_dropped) + cap)) -ge $(($(status_of mroute.no_route))) ]
}

# every_first_packet GROUP PACKETS_A_SECOND: of 10,000 groups from this one on.
every_first_packet() {
    receive first receiver1 d1 "$1" 10000 20 10000
    send "$1" 10000 "$2" 8 10000
    contains "first packets of 10,000 groups at $2/s" "received 10000 lost 0 duplicates 0" \
        "$(result first)"
}

make_topology
cat >$work/config <<END
[limits]
unmatched-flows = $cap
END
start_daemon --config $work/config
nb mfc add --group 239.192.0.0/15 --iif r0 --oifs r1 --idle 8 >/dev/null
nb mfc add --group ff0e:1::/32 --iif r0 --oifs r1 --idle 8 >/dev/null
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r2 >/dev/null

# Nobody's groups.
receive bystander receiver2 d2 239.1.1.1 2000
send 239.1.1.1 2000 1000 &
bystander_sends=$!
send 239.64.0.0 20000 10000 8 20000
within 5 "no more wait in the kernel than may" test_unresolved
within 5 "all questions are answered" dropped_is_total
dropped=$(status_of mroute.unmatched_dropped)
[ "$dropped" -ge 10000 ] || fail "only $dropped flows were dropped"
equal "the metric" "$dropped" "$(nb metrics | python3 "$tests/exposition.py" \
    netbroker_flows_dropped_total)"
at_most "flows that wait in the kernel" $cap "$(unresolved)"
contains "packets of the route" "received 2000 lost 0 duplicates 0" "$(result bystander)"
wait $bystander_sends
nb ping >/dev/null

# Wanted groups, while the others still wait.
every_first_packet 239.192.0.0 5000
equal "learned routes" 10000 "$(status_of mroute.learned)"
every_first_packet 239.193.0.0 20000
every_first_packet ff0e:1::1:0 10000
within 20 "silent flows are forgotten" learned_are 0
at_most "entries of the kernel in the end" $((cap + 1)) \
    "$(tail -n +2 /proc/net/ip_mr_cache | wc -l)"
