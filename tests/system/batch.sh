#!/bin/bash
# Ten thousand requests on one connection, none waited for, some of them wrong: each is answered in
# its place, all that is right is done, and the flow of the first one passes all the time.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
receive stream receiver1 d1 239.1.1.1 2000
send 239.1.1.1 2000 1000 &

python3 - "$socket" <<'END'
import json
import socket
import sys
import threading
import time

COUNT = 10000
service = socket.socket(socket.AF_UNIX)
service.settimeout(30)
service.connect(sys.argv[1])


def request(action, number):
    payload = {"source": f"10.2.{number >> 8}.{number & 255}", "group": "239.9.9.9"}
    if action == "ADD_MFC":
        payload.update(iif="r0", oifs=["r2" if number % 10 else "eth99"])
    return json.dumps({"action": action, "payload": payload}).encode()


def batch(action):
    """The replies' kinds, and the seconds that they took."""
    text = b"".join(request(action, number) for number in range(COUNT))
    sender = threading.Thread(target=service.sendall, args=(text,))
    start = time.monotonic()
    sender.start()
    replies = [json.loads(replies_file.readline()) for _ in range(COUNT)]
    sender.join()
    return replies, time.monotonic() - start


replies_file = service.makefile("rb")
for action in "ADD_MFC", "DEL_MFC":
    replies, seconds = batch(action)
    for number, reply in enumerate(replies):
        expected = "success" if number % 10 else "error"
        assert reply["status"] == expected, (action, number, reply)
        assert number % 10 or reply["code"] == "not-found", (action, number, reply)
    print(f"{action}: {COUNT} in {seconds:.3f} s")
    assert seconds < 10, seconds
END
contains "packets" "received 2000 lost 0 duplicates 0" "$(result stream)"
equal "routes" 1 "$(status_of mroute.routes)"
check_agreement
