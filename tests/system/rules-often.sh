#!/bin/bash
# A client that adds and deletes a route of another table as fast as it can has the service lead
# packets there and back each time. It waits for that as long as it takes; the keeper is asked no
# oftener than it grants, every rule is made, and the broker lives.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --table 150 --group 239.1.1.1 --iif r1 --oifs r2 # keeps the table open
python3 - <<'END'
import json, os, socket, time

s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["NETBROKER_SOCKET"])
replies = s.makefile("r")
route = {"group": "239.1.1.2", "table": 150}
add = {"action": "ADD_MFC", "payload": dict(route, iif="r0", oifs=["r1"])}
delete = {"action": "DEL_MFC", "payload": route}
batch = (json.dumps(add) + json.dumps(delete)).encode() * 50
end = time.monotonic() + 4
while time.monotonic() < end:
    s.sendall(batch)
    for i in range(100):
        reply = json.loads(replies.readline())
        assert reply["status"] == "success", reply
END
if grep "no rule leads packets" $work/daemon.log >&2; then
    fail "a rule was not made"
fi
equal "restarts of the broker" 0 "$(status_of broker_restarts)"
nb mfc add --table 150 --group 239.1.1.2 --iif r0 --oifs r1
contains "the rules" "iif r0 lookup 150" "$(ip -4 mrule)"
