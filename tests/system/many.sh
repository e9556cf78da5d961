#!/bin/bash
# A reply that is too long for one piece is still one JSON value, and holds every route once.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
python3 - "$socket" <<'END'
import json
import socket
import sys

service = socket.socket(socket.AF_UNIX)
service.connect(sys.argv[1])
for number in range(1, 1500):  # some 200 KiB of SHOW
    payload = {"source": f"10.1.{number >> 8}.{number & 255}", "group": "239.1.1.1", "iif": "r0",
               "oifs": ["r1"]}
    service.sendall(json.dumps({"action": "ADD_MFC", "payload": payload}).encode())
    reply = service.recv(4096)
    assert b'"success"' in reply, reply
END
check_agreement
equal "routes shown" 1499 "$(nb --json show | python3 -c \
    'import json, sys; print(len(json.load(sys.stdin)["mfc_rules"]))')"
