"""A service that is not what it seems, for tests of what a client shows and how long it waits.

    strange_service.py SOCKET MANNER

MANNER is "hostile": each text of a reply or event plays with terminals; "refusing": so do its
refusals; "silent": it takes connections and requests and never answers; "stalling": it stops within
a reply; "mute-after-one": it answers the first request of a connection and then no more; "deaf": it
takes no connection.
"""
import json
import socket
import sys
import time

# ESC, BEL, CSI of C1, both kinds of bidirectional controls, a newline, DEL, and no UTF-8 at all.
EVIL = "a\x1b[2J\x1b]0;title\x07\x9b31m\u202egro\u2066x\u200f\u061c\n\x7fz"


def route():
    return {"source": EVIL, "group": EVIL, "iif": EVIL, "oifs": [EVIL, EVIL], "ttls": [1, 2],
            "state": EVIL, "origin": EVIL, "family": EVIL, "table": 1, "packets": 1, "change": EVIL}


PAYLOAD = {
    "mfc_rules": [route()],
    "vifs": [{"vifi": 0, "name": EVIL, "family": EVIL, "table": 1, "ref_count": 1}],
    "vif_map": {EVIL: {"vifi": 0, "ref_count": 1, "ifindex": 1}},
    "joins": [route()],
    "leases": [{"lease": EVIL, "uid": 0, "since": EVIL, "kind": EVIL, "origin": EVIL, "what": EVIL}],
    "findings": [{"check": EVIL, "verdict": EVIL, "message": EVIL, "hint": EVIL}],
    "summary": EVIL,
    "text": EVIL + "\n",
    "changes": [route()],
    EVIL: {EVIL: [EVIL, {EVIL: EVIL}]},
}


def encode(value):
    """As bytes: nothing of it is escaped but what JSON demands, and \\xff is added to each text."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("z", "z\udcff").encode(errors="surrogateescape") + b"\n"


def answer(connection, manner, request):
    if manner == "refusing":
        connection.sendall(encode({"status": "error", "code": "not-found", "field": "group",
                                   "message": EVIL}))
        return
    connection.sendall(encode({"status": "success", "message": EVIL, "payload": PAYLOAD}))
    if request["action"] == "SUBSCRIBE":
        connection.sendall(encode({"event": EVIL, "seq": 1, "time": EVIL, "payload": route()}))
        connection.sendall(encode({"event": "mfc.no-route", "seq": 2, "time": "T" + EVIL,
                                   "payload": {"group": EVIL, "iif": EVIL, "state": EVIL}}))


def serve(connection, manner):
    answered = 0
    rest = b""
    while chunk := connection.recv(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if manner == "stalling":
                connection.sendall(b'{"status": "succ')
            elif manner in ("hostile", "refusing") or (manner == "mute-after-one" and not answered):
                answer(connection, manner, json.loads(line))
                answered += 1
                if json.loads(line)["action"] == "SUBSCRIBE" and manner == "hostile":
                    return


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(0)
    while sys.argv[2] == "deaf":
        time.sleep(60)
    while True:
        connection, _ = listener.accept()
        with connection:
            serve(connection, sys.argv[2])


main()
