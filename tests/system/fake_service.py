"""A service that takes sets of routes, for tests of how a client sends them.

    fake_service.py SOCKET DIARY [REFUSED]

It serves one connection after the other and never reads while it writes, so a client that does not
read either waits for ever. The action of each request goes into the diary. REFUSED is a group that
it refuses to stage; "hang-up" ends the connection at the first route instead.
"""
import json
import socket
import sys

CHANGES = [
    {"change": "added", "source": "10.0.0.1", "group": "239.1.1.1", "iif": "a", "oifs": ["b"],
     "ttls": [1], "table": 253},
    {"change": "replaced", "source": "0.0.0.0", "group": "239.1.1.2", "iif": "a",
     "oifs": ["b", "c"], "ttls": [1, 9], "table": 253},
    {"change": "deleted", "source": "::", "group": "ff05::1", "iif": "a", "oifs": ["b"],
     "table": 254},
]


def commit(payload):
    counts = {"added": 1, "replaced": 1, "deleted": 1, "unchanged": 7}
    if payload.get("dry_run"):
        counts["changes"] = CHANGES
    return {"status": "success", "message": "Replaced.", "payload": counts}


def answer(request, refused):
    payload = request.get("payload", {})
    if request["action"] == "COMMIT":
        return commit(payload)
    if refused and payload.get("group") == refused:
        return {"status": "error", "code": "not-allowed", "message": f"{refused} is not for you."}
    return {"status": "success", "message": "Staged. " + 200 * "x"}


def requests(connection):
    """Requests of one line each."""
    rest = b""
    while chunk := connection.recv(4096):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)


def serve(connection, diary, refused):
    for request in requests(connection):
        payload = request.get("payload", {})
        options = [name for name in ("dry_run", "family", "table") if name in payload]
        print(request["action"], payload.get("group", ""), *options, file=diary, flush=True)
        if refused == "hang-up" and request["action"] == "ADD_MFC":
            return
        connection.sendall(json.dumps(answer(request, refused)).encode() + b"\n")


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    with open(sys.argv[2], "w", encoding="ascii") as diary:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            with connection:
                serve(connection, diary, sys.argv[3] if len(sys.argv) > 3 else None)


main()
