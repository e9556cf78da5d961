#!/bin/bash
# Who asks the doctor to watch on many connections is told that it is too often, and others are
# served meanwhile.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
send 239.1.1.1 5
python3 - <<'END'
import collections, json, os, socket, time

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["NETBROKER_SOCKET"])
    return s

def ask(s, action, **payload):
    s.sendall(json.dumps({"action": action, "payload": payload}).encode())

def reply(s):
    return json.loads(s.makefile("r").readline())

def observe(milliseconds):
    s = connect()
    ask(s, "DIAGNOSE", group="239.1.1.1", source="10.1.0.2", iif="r0", observe=milliseconds)
    return s

for kind in "ended by time", "ended by the client":
    many = [observe(1000) for _ in range(30)]
    if kind == "ended by time":
        codes = collections.Counter(reply(s).get("code", "success") for s in many)
        assert codes == {"success": 4, "limit": 26}, codes
    for s in many:
        s.close()

# None of them takes a place any more, once the service has seen that their connections ended.
for attempt in range(400):
    codes = {reply(s).get("code", "success") for s in [observe(10) for _ in range(4)]}
    if codes == {"success"}:
        break
    time.sleep(0.01)
assert codes == {"success"}, codes
END
