"""The ways by which a connection ends, as a client sees them.

    reasons.py WAY [FILE]    a function below; FILE is made when the client is ready"""
import pathlib
import sys
import time

from protocol import Client, expect

CONNECTIONS = 12  # that one user may have
CROWD = 200       # more than may have a farewell
LINGER = 5        # seconds: longer than a farewell lasts


def last_words(client):
    """All lines that there are to read; an error of the socket would be an exception."""
    lines = []
    while line := client.lines.readline():
        lines.append(line)
    return lines


def expect_reason(what, code, client, part):
    reply = client.receive()
    expect(f"{what}: the reason", ("error", code), (reply["status"], reply["code"]))
    expect(f"{what}: '{part}' in '{reply['message']}'", True, part in reply["message"])


def expect_end(what, client):
    expect(f"{what}: the end", None, client.receive())
    client.close()


def take_all():
    """All connections that one may have: the ends of earlier ones may take a moment."""
    end = time.monotonic() + 20
    clients = []
    while len(clients) < CONNECTIONS:
        client = Client()
        try:
            client.send({"action": "PING"})
            reply = client.receive()
        except OSError:
            reply = None
        if reply and reply["status"] == "success":
            clients.append(client)
        expect("in time: all connections", True, time.monotonic() < end)
    return clients


def is_let_in(seconds):
    """Whether one more connection is taken, once the end of another is noticed. Those who are turned
    away meanwhile stay, so that some are always there."""
    end = time.monotonic() + seconds
    turned_away = []
    while time.monotonic() < end:
        client = Client()
        if client.call("PING")["status"] == "success":
            return True
        turned_away.append(client)
        time.sleep(0.1)
    return False


def turned_away():
    held = take_all()
    early = Client()
    early.send({"action": "PING"})  # perhaps before it is turned away
    expect_reason("who has written", "limit", early, "connections-per-user")
    late = Client()
    time.sleep(0.5)
    late.send({"action": "PING"})   # to who has turned it away: that is no error
    late.send(b"A" * 100000)
    expect_reason("who writes later", "limit", late, "connections-per-user")
    expect_end("who writes later", late)
    expect_end("who has written", early)
    deaf = [Client() for _ in range(3)]
    for client in deaf:
        client.send(b'{"action": "PING"}' * 100)
    held.pop().close()
    expect("those who were turned away cost no connection", True, is_let_in(20))
    for client in deaf:
        expect_reason("who reads late", "limit", client, "connections-per-user")
        expect_end("who reads late", client)
    for client in held:
        client.close()


def lingering():
    held = take_all()
    client = Client()
    expect_reason("who stays", "limit", client, "connections-per-user")
    time.sleep(LINGER)
    try:
        client.send({"action": "PING"})
        expect("who stays is hung up on in the end", True, False)
    except BrokenPipeError:
        pass
    for client in held:
        client.close()


def crowd():
    held = take_all()
    clients = []
    for _ in range(CROWD):
        client = Client()
        try:
            client.send(b'{"action": "PING"}' * 50)
        except BrokenPipeError:
            pass
        clients.append(client)
    time.sleep(0.5)
    for client in clients:
        expect_reason("one of a crowd", "limit", client, "connections-per-user")
        expect_end("one of a crowd", client)
    for client in held:
        client.close()


def too_large():
    client = Client()
    client.send(b'{"action": "' + b"A" * 150000)
    time.sleep(0.3)
    client.send(b"A" * 150000)
    expect_reason("too large", "too-large", client, "16384")
    expect_end("too large", client)


def garbage():
    client = Client()
    client.send(b"GET / HTTP/1.1\r\n" * 10000)
    expect_reason("garbage", "invalid-json", client, "A request is one JSON object")
    client.send(b"\r\n")
    expect_end("garbage", client)


def half():
    client = Client()
    client.send(b'{"action": "PI')
    expect_reason("half a request", "too-slow", client, "The end of the request")
    client.send(b'NG"}')
    expect_end("half a request", client)


def idle():
    client = Client()
    expect("before it idles", "pong", client.call("PING")["message"])
    expect_reason("idle", "too-slow", client, "idle-seconds")
    client.send({"action": "PING"})
    expect_end("idle", client)


def fill(request):
    """A client whose requests are answered for as long as the socket takes it."""
    client = Client()
    client.socket.settimeout(0.5)
    try:
        while True:
            client.socket.send(request)
    except TimeoutError:
        client.socket.settimeout(20)
    return client


def check_stalled(what, client):
    time.sleep(5)
    lines = last_words(client)
    expect(f"{what}: replies before", True, len(lines) > 1)
    expect(f"{what}: an empty line", False, b"\n" in lines)
    client.lines = iter_lines(lines[-1:])
    expect_reason(what, "too-slow", client, "reply-seconds")
    client.socket.close()


class iter_lines:
    def __init__(self, lines):
        self.lines = lines

    def readline(self):
        return self.lines.pop(0) if self.lines else b""

    def close(self):
        pass


def stalled():
    check_stalled("a reader that stalls", fill(b'{"action": "DESCRIBE"}' * 20))


def producer():
    adder = Client()
    for number in range(4000):
        adder.send({"action": "ADD_MFC", "payload": {
            "group": f"239.9.{number // 250}.{number % 250}", "iif": "lo", "oifs": ["lo"]}})
        adder.receive()
    client = Client()
    client.send({"action": "PING"})
    client.send({"action": "SHOW"})
    check_stalled("a reader that stalls in a long reply", client)
    adder.close()
    cleaner = Client()
    expect("all routes gone", "success", cleaner.call("FLUSH_MFC")["status"])
    cleaner.close()


def hold():
    clients = take_all()
    pathlib.Path("/run/netbroker-test/state/held").touch()
    while True:
        for client in clients:
            client.call("PING")
        time.sleep(0.5)


def subscriber():
    client = Client()
    expect("a subscription", "success", client.call("SUBSCRIBE", topics=["mfc.*"])["status"])
    pathlib.Path(sys.argv[2]).touch()
    expect_reason("who may not listen any more", "not-allowed", client, "subscribe")
    expect_end("who may not listen any more", client)


globals()[sys.argv[1]]()
