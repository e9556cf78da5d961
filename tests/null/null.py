"""A user of nulls. It counts with the descriptors that it is lent:

    null.py count NAME...   adds each, counts once more with it, and prints the sums
    null.py hold NAME       the same of one, while it is connected, and stays until it is ended
    null.py try NAME        adds it, and prints the code of the answer, or "gone"
"""
import json
import os
import signal
import socket
import sys

sys.path.insert(0, "/run/netbroker-test/build")
from protocol import Client  # noqa: E402


def add(client, name, **more):
    """The reply, and its descriptor or None."""
    client.send({"action": "ADD_NULL", "payload": {"name": name, **more}})
    text, fds, _, _ = socket.recv_fds(client.socket, 65536, 4)
    if not text:
        return None, None
    assert text.endswith(b"\n") and len(fds) <= 1, (text, fds)
    return json.loads(text), fds[0] if fds else None


def count(fd):
    """An eventfd: what is read is taken out of it."""
    try:
        value = int.from_bytes(os.read(fd, 8), sys.byteorder)
    except BlockingIOError:
        value = 0
    os.write(fd, (value + 1).to_bytes(8, sys.byteorder))
    return value + 1


client = Client()
if sys.argv[1] == "try":
    reply, fd = add(client, sys.argv[2])
    assert fd is None
    print(reply["code"] if reply else "gone")
else:
    held = sys.argv[1] == "hold"
    sums = []
    for name in sys.argv[2:]:
        reply, fd = add(client, name, while_connected=held)
        assert reply["status"] == "success" and fd is not None, reply
        sums.append(count(fd))
        os.close(fd)
    print(*sums, flush=True)
    if held:
        signal.pause()
