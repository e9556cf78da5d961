#!/bin/bash
# Whatever there is, every command that shows something shows it as one JSON value, with the members
# that programs look for, and as a text that names the same.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon --state $work/state/routes
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 --ttls 2,3
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1 --table 100
nb mfc add --group 239.1.1.3 --iif r0 --oifs r1
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs r+
nb mfc add --source 10.1.0.0/16 --group 239.3.0.0/16 --iif late0 --oifs r1 --wait
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r1,late0 --wait
ip link set r2 down
ip link set r2 name 'é"\ü' # names are bytes, and JSON is UTF-8
flow1=239.2.7.7
reaches $flow1 3 3 sender s0 receiver1 d1
nb --json show >$work/show
python3 - $work/show <<'END'
import json
import sys

shown = json.load(open(sys.argv[1]))
routes = {(r["source"], r["group"]): r for r in shown["mfc_rules"]}
assert len(routes) == 7, routes
for route in routes.values():
    for key, kind in {"source": str, "group": str, "iif": str, "oifs": list, "family": str,
                      "table": int, "state": str, "origin": str, "packets": int, "bytes": int,
                      "wrong_if": int}.items():
        assert isinstance(route[key], kind), (key, route)
    assert ("ttls" in route) == (route["family"] == "ipv4"), route
    assert len(route.get("ttls", route["oifs"])) == len(route["oifs"]), route
    assert ("owners" in route) == (route["origin"] != "learned"), route


def states(source, group):
    return routes[source, group]["state"], routes[source, group]["origin"]


assert routes["10.1.0.2", "239.1.1.1"]["oifs"] == ["r1", 'é"\\ü'], routes
assert routes["10.1.0.2", "239.1.1.1"]["ttls"] == [2, 3], routes
assert states("10.1.0.2", "239.1.1.1") == ("installed", "client")
assert states("0.0.0.0", "239.1.1.3") == ("installed", "client")
assert states("0.0.0.0", "239.2.0.0/16") == ("on-demand", "client")
assert states("10.1.0.0/16", "239.3.0.0/16") == ("waiting", "client")
assert states("fd00:1::2", "ff0e::1") == ("partial", "client")
assert states("10.1.0.2", "239.2.7.7") == ("installed", "learned")
assert routes["10.1.0.2", "239.2.7.7"]["packets"] == 3
assert routes["0.0.0.0", "239.2.0.0/16"]["idle"] == 60
assert set(shown["vif_map"]) >= {"r0", "r1", 'é"\\ü'}, shown
END

for command in show "mfc show" "mfc show --family ipv6" "mfc show --table 100" \
    "mfc show --group 239.0.0.0/8" "mfc show --group 239.250.1.1" "vif show" status leases metrics \
    "metrics --routes" describe doctor "doctor --group 239.1.1.1 --source 10.1.0.2" ping \
    "policy check mroute.write r0" "mfc flush --dry-run" "mfc flush --learned --dry-run"; do
    read -ra words <<<"$command"
    nb --json "${words[@]}" >$work/out || true
    python3 -c '
import json, sys
assert isinstance(json.load(sys.stdin), (dict, list))' <$work/out || fail "$command is no JSON"
    nb "${words[@]}" >$work/text || true
    python3 -c 'import sys; open(sys.argv[1], encoding="utf-8").read()' $work/text ||
        fail "$command writes no UTF-8"
done
for part in 239.1.1.1 239.2.0.0/16 239.2.7.7 ff0e::1 on-demand waiting partial; do
    contains "the text" $part "$(nb mfc show)"
done
ip link set 'é"\ü' name r2
ip link set r2 up
