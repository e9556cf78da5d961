"""Speaks to the service as a client does that is older than it: one JSON object without a newline
at its end, and one receive of 4,096 bytes for the reply."""
import json
import socket
import sys


def call(request):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(20)
    connection.connect(sys.argv[1])
    connection.sendall(json.dumps(request).encode())
    reply = connection.recv(4096)
    connection.close()
    return json.loads(reply)


def expect(what, expected, seen):
    if expected != seen:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


route = {"source": "10.1.1.5", "group": "239.10.20.30", "iif": "r0", "oifs": ["r1", "r2"]}
expect("ADD_MFC", {"status": "success",
                   "message": "MFC entry for (10.1.1.5, 239.10.20.30) added."},
       {key: value for key, value in call({"action": "ADD_MFC", "payload": route}).items()
        if key != "payload"})
expect("ADD_MFC of any source", "MFC entry for (0.0.0.0, 239.1.1.1) added.",
       call({"action": "ADD_MFC",
             "payload": {"group": "239.1.1.1", "iif": "r1", "oifs": ["r0"]}})["message"])

shown = call({"action": "SHOW"})
expect("SHOW", "success", shown["status"])
vifs = shown["payload"]["vif_map"]
rules = shown["payload"]["mfc_rules"]
expect("interfaces", ["r0", "r1", "r2"], sorted(vifs))
expect("references", {"r0": 2, "r1": 2, "r2": 1},
       {name: vif["ref_count"] for name, vif in vifs.items()})
expect("interface indices", {name: socket.if_nametoindex(name) for name in vifs},
       {name: vif["ifindex"] for name, vif in vifs.items()})
expect("different VIFs", 3, len({vif["vifi"] for vif in vifs.values()}))
expect("a rule", route, {key: rules[0][key] for key in ("source", "group", "iif", "oifs")})
expect("the other rule's source", "0.0.0.0", rules[1]["source"])

missing = call({"action": "ADD_MFC", "payload": dict(route, iif="eth99")})
expect("a missing interface", ("error", "not-found"), (missing["status"], missing["code"]))
expect("DEL_MFC", "MFC entry for (10.1.1.5, 239.10.20.30) deleted.",
       call({"action": "DEL_MFC",
             "payload": {"source": "10.1.1.5", "group": "239.10.20.30"}})["message"])
expect("rules left", 1, len(call({"action": "SHOW"})["payload"]["mfc_rules"]))
