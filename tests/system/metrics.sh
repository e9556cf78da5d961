#!/bin/bash
# METRICS is in Prometheus' text format whatever interfaces are called, and its numbers are true.
. "$(dirname "$0")/lib.sh"

# value SAMPLE [OPTION...]
value() {
    nb metrics "${@:2}" | python3 "$tests/exposition.py" "$1"
}

make_topology
start_daemon

nb metrics | python3 "$tests/exposition.py" >$work/empty
contains "uptime" "netbroker_uptime_seconds" "$(cat $work/empty)"
equal "routes at first" 0 \
    "$(value 'netbroker_routes{family="ipv4",table="253",state="installed"}')"

# Counters.
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 >/dev/null
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r2 >/dev/null
nb mfc add --source 10.1.0.3 --group 239.1.1.3 --iif r2 --oifs r1 --table 100 >/dev/null
flow 239.1.1.1 50 50 50
flow ff0e::1 20 0 20
send 239.9.9.9 3
equal "installed" 1 "$(value 'netbroker_routes{family="ipv4",table="253",state="installed"}')"
equal "of table 100" 1 "$(value 'netbroker_routes{family="ipv4",table="100",state="installed"}')"
equal "packets in" 50 \
    "$(value 'netbroker_vif_receive_packets_total{family="ipv4",table="253",interface="r0"}')"
equal "packets out" 20 \
    "$(value 'netbroker_vif_transmit_packets_total{family="ipv6",table="254",interface="r2"}')"
equal "no route" 1 "$(value 'netbroker_upcalls_total{reason="no_route"}')"
equal "leases" 3 "$(value netbroker_leases)"
equal "no series of routes unasked" 0 "$(nb metrics | grep -c netbroker_route_ || true)"
equal "packets of the route" 50 "$(value \
    'netbroker_route_packets_total{source="10.1.0.2",group="239.1.1.1",iif="r0",table="253"}' \
    --routes)"
equal "the JSON has the same" "text/plain; version=0.0.4; charset=utf-8" \
    "$(nb --json metrics | member content_type)"
nb mfc add --source 10.1.0.4 --group 239.1.1.4 --iif r0 --oifs r1 >/dev/null
ip link set r1 down
ip link set r1 name x1
ip link delete r2
within 5 "a route waits" test "$(value \
    'netbroker_routes{family="ipv4",table="100",state="waiting"}')" = 1
nb mfc flush >/dev/null
equal "leases after all" 0 "$(value netbroker_leases)"

# Routes on demand: what was learned has counters, the range has none.
nb mfc add --group 239.4.0.0/16 --iif r0 --oifs x1 >/dev/null
send 239.4.1.1 7
within 5 "a learned route" test "$(value netbroker_routes_learned)" = 1
equal "on demand" 1 "$(value 'netbroker_routes{family="ipv4",table="253",state="on-demand"}')"
equal "its packets" 7 "$(value \
    'netbroker_route_packets_total{source="10.1.0.2",group="239.4.1.1",iif="r0",table="253"}' \
    --routes)"
equal "series of routes" 3 "$(nb metrics --routes | grep -c ^netbroker_route_)"
nb mfc flush >/dev/null

# The broker's death begins counters anew, but for that of its deaths.
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
restarts_expected=1
equal "restarts" 1 "$(value netbroker_broker_restarts_total)"

# Names that a kernel lets interfaces have.
nb mfc add --source 10.1.0.6 --group 239.1.1.6 --iif x1 --oifs r0 >/dev/null
# shellcheck disable=SC1003 # backslashes are meant
for name in 'a"b' 'a\b' 'a{b}=,' $'\xff\xfe' $'\xfe\xff' 'é"\' '#_TYPE'; do
    ip link set x1 name "$name"
    nb metrics --routes | python3 "$tests/exposition.py" >$work/hostile
    contains "the names' series" "interface=" "$(cat $work/hostile)"
    nb --json metrics --routes | python3 -c 'import json, sys; json.load(sys.stdin)'
    ip link set "$name" name x1
done
ip link set x1 name 'a"\b'
equal "escaped" 0 \
    "$(value 'netbroker_vif_receive_packets_total{family="ipv4",table="253",interface="a\"\\b"}')"
ip link set 'a"\b' name x1

# Many routes cost the service no memory, and others no time.
nb mfc flush >/dev/null
python3 - "$socket" <<'END'
import json
import socket
import sys

service = socket.socket(socket.AF_UNIX)
service.connect(sys.argv[1])
replies = service.makefile("rb")
for number in range(20000):
    payload = {"source": f"10.1.{number >> 8}.{number & 255}", "group": "239.1.1.1", "iif": "r0",
               "oifs": ["x1"]}
    service.sendall(json.dumps({"action": "ADD_MFC", "payload": payload}).encode())
    if number >= 100:
        assert b'"success"' in replies.readline()
for number in range(100):  # who hangs up before may have asked in vain
    assert b'"success"' in replies.readline()
END
nb metrics --routes | python3 "$tests/exposition.py" >$work/many
equal "series of 20,000 routes" 60000 "$(grep -c netbroker_route_ $work/many)"
nb mfc flush >/dev/null
