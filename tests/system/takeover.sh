#!/bin/bash
# The broker is killed in the middle of 1,000 packets a second: no packet is lost, the next one
# serves within half a second, and routes and counters are what they were.
. "$(dirname "$0")/lib.sh"

packets_pass() {
    [ "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.packets)" -ge "$1" ]
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1 --ttls 3
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r2
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r1 --table 100
before=$(nb mfc show)

receive stream1 receiver1 d1 239.1.1.1 4000
receive stream2 receiver2 d2 239.1.1.1 4000
send 239.1.1.1 4000 1000 &
within 10 "a quarter of the packets is counted" packets_pass 1000
broker=$(status_of broker.pid)
keeper=$(status_of keeper.pid)

kill -KILL "$broker"
killed=$(now_ms)
within 5 "the broker is gone" test ! -e "/proc/$broker"
nb ping >/dev/null
back=$(($(now_ms) - killed))
echo "back after $back ms"
at_most "milliseconds until another broker serves" 5000 $back
equal "the keeper" "$keeper" "$(status_of keeper.pid)"
equal "restarts" 1 "$(status_of broker_restarts)"
restarts_expected=1

check_agreement
contains "behind r1" "received 4000 lost 0 duplicates 0" "$(result stream1)"
contains "behind r2" "received 4000 lost 0 duplicates 0" "$(result stream2)"
equal "packets counted" 4000 "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.packets)"
equal "routes" "$(awk '{print $1, $2, $3}' <<<"$before" | sort)" \
    "$(nb mfc show | awk '{print $1, $2, $3}' | sort)"

# The new one is no lesser one.
nb mfc add --source 10.1.0.2 --group 239.1.1.4 --iif r0 --oifs r1
flow 239.1.1.4 30 30 0
nb mfc flush --all
equal "the kernel's routes" "" "$(ip mroute show table all)$(ip -6 mroute show table all)"
