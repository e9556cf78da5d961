"""Sends sockets that linger to the service, beside a client that pings.

    received_fds.py CONNECTED READY SENT    the files by which it and its script wait for each other

It connects before the service is started, so that the listening socket does not refuse descriptors
yet on a kernel where it will."""
import os
import pathlib
import socket
import struct
import sys
import time

import protocol
from protocol import Client, call, expect

CONNECTED, READY, SENT = (pathlib.Path(path) for path in sys.argv[1:])
LINGER_SECONDS = 60
CROWD, CROWD_USER, OF_ONE_USER = 80, 3003, 12
ANSWER_SECONDS = 2  # a busy machine included

deaf = socket.create_server(("127.0.0.1", 0))
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
others = []  # the other ends, which read nothing


def wait_for(what, condition):
    end = time.monotonic() + 20
    while not condition():
        expect(f"in time: {what}", True, time.monotonic() < end)
        time.sleep(0.02)


def lingering():
    """A TCP socket with data that nobody reads: the last close(2) of it takes a minute."""
    tcp = socket.create_connection(deaf.getsockname())
    others.append(deaf.accept()[0])
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER_SECONDS))
    tcp.setblocking(False)
    try:
        while True:
            tcp.send(bytes(65536))
    except BlockingIOError:
        return tcp


def send(client, text, count=1):
    """The service has the only copies before it has the end of the text."""
    sockets = [lingering() for _ in range(count)]
    socket.send_fds(client.socket, [text[:1]], [tcp.fileno() for tcp in sockets])
    for tcp in sockets:
        tcp.close()
    client.send(text[1:])


def make_crowd():
    """Connections of one user, each with a socket that lingers, before the service is there."""
    if os.geteuid() != 0:
        return []
    os.chmod(protocol.SOCKET, 0o666)
    os.seteuid(CROWD_USER)
    clients = [Client() for _ in range(CROWD)]
    for client in clients:
        send(client, b'{"action": "PING"}')
    os.seteuid(0)
    return clients


def check_others(what):
    start = time.monotonic()
    expect(f"the other client after {what}", "pong", bystander.call("PING")["message"])
    expect(f"a new client after {what}", "pong", call("PING")["message"])
    expect(f"both in time after {what}", True, time.monotonic() - start < ANSWER_SECONDS)


def descriptors():
    folder = f"/proc/{broker}/fd"
    return len(os.listdir(folder)) if os.access(folder, os.R_OK) else 0


wait_for("a socket", lambda: os.path.exists(protocol.SOCKET))
attackers = [Client() for _ in range(5)]
crowd = make_crowd()
# Never received: what is too large is not read to its end.
attackers[1].send(b'{"action": "' + b"A" * 20000)
send(attackers[1], b"A")
CONNECTED.touch()
wait_for("the service", READY.exists)
bystander = Client()
broker = call("STATUS")["payload"]["broker"]["pid"]
before = descriptors()

send(attackers[0], b'{"action": "PING"}')
expect("a request with one", "invalid-descriptor", attackers[0].receive()["code"])
check_others("a request with one")
send(attackers[0], b'{"action": "PING"}', 5)
expect("a request with five", "invalid-descriptor", attackers[0].receive()["code"])
check_others("a request with five")

expect("before one that is not received", "too-large", attackers[1].receive()["code"])
try:
    expect("its end", None, attackers[1].receive())
except ConnectionResetError:
    pass  # what has descriptors is not read
check_others("one that is not received")

send(attackers[2], b'{"action": ')
attackers[2].close()
check_others("half a request")

# More than the closer can have at a time, and then one more behind what nobody reads.
send(attackers[0], b'{"action": "PING"}', 80)
expect("a request with 80", "invalid-descriptor", attackers[0].receive()["code"])
check_others("a request with 80")
flooded = [attackers[3], attackers[4]]
for client in flooded:
    client.socket.setblocking(False)
    try:
        for _ in range(60):
            client.send(b'{"action": "DESCRIBE"}')
    except BlockingIOError:
        pass
    client.socket.setblocking(True)
time.sleep(1)
for client in flooded:
    send(client, b'{"action": "PING"}')
flooded[0].close()
flooded[1].socket.settimeout(1)
try:
    while flooded[1].socket.recv(65536):
        pass
except TimeoutError:
    pass
check_others("one behind what nobody reads")
expect("the sender without descriptors", "pong", attackers[0].call("PING")["message"])
expect("the same broker", broker, bystander.call("STATUS")["payload"]["broker"]["pid"])

# The others' connections, beyond those that one user may have.
refused = 0
for client in crowd:
    refused += client.receive()["code"] == "limit"
expect("those of the crowd who were turned away", len(crowd) - OF_ONE_USER if crowd else 0, refused)
check_others("a crowd")

# Although nobody reads the data.
wait_for("the broker keeps no descriptors", lambda: descriptors() <= before)

send(attackers[0], b'{"action": "PING"}')
expect("a last request", "invalid-descriptor", attackers[0].receive()["code"])
SENT.touch()
wait_for("the service to end", lambda: not os.path.exists(f"/proc/{broker}"))
