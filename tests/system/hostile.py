"""Each attack beside a client that pings, and must be answered soon."""
import os
import socket
import time

from protocol import Client, call, expect

ANSWER_SECONDS = 2  # a busy machine included; an answer takes about 20 microseconds
bystander = Client(ANSWER_SECONDS)
idle = []


def check_bystander(what):
    start = time.monotonic()
    expect(f"the other client after {what}", "pong", bystander.call("PING")["message"])
    expect(f"a new client after {what}", "pong", call("PING")["message"])
    expect(f"both in time after {what}", True, time.monotonic() - start < ANSWER_SECONDS)


def attack(what, sent, *codes):
    """Sends bytes; the replies must be errors with these codes, and then the end, or silence."""
    client = Client()
    try:
        client.send(sent)
        client.socket.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it hung up while we still sent
    for code in codes:
        expect(what, code, client.receive()["code"])
    expect(f"{what}: the end", None, client.receive())
    client.close()
    check_bystander(what)


def wait_until(what, condition):
    end = time.monotonic() + 10
    while not condition():
        expect(f"in time: {what}", True, time.monotonic() < end)
        time.sleep(0.02)


def count_descriptors():
    directory = f"/proc/{call('STATUS')['payload']['broker']['pid']}/fd"
    return len(os.listdir(directory)) if os.access(directory, os.R_OK) else 0


attack("garbage", b"GET / HTTP/1.1\r\n\r\n", "invalid-json")
attack("binary garbage", bytes(range(128, 256)) * 10, "invalid-json")
attack("a list", b"[1, 2]", "invalid-json")
attack("a NUL", b'{"action": "PI\0NG"}', "invalid-json")
attack("bad UTF-8", b'{"action": "\xff\xfe"}', "invalid-json")
attack("the same key twice", b'{"action": "PING", "action": "SHOW"}', "invalid-json")
attack("20 KiB", b'{"action": "' + b"A" * 20480 + b'"}', "too-large")
attack("20 KiB of depth", b'{"a":' * 4096, "too-large")
attack("depth", b'{"action": "PING", "id": ' + b"[" * 100 + b"]" * 100 + b"}", "invalid-json")
attack("half a request and the end", b'{"action": "PI')

silent = Client()
silent.send(b'{"action": "FLUSH_MFC", "payl')
check_bystander("half a request and silence")

deaf = Client()
deaf.socket.setblocking(False)
try:
    while True:  # asks and never reads, until the service stops taking
        deaf.socket.send(b'{"action": "DESCRIBE"}' * 100)
except BlockingIOError:
    pass
check_bystander("requests whose replies nobody reads")

before = count_descriptors()
gift = Client()
null = os.open("/dev/null", os.O_RDONLY)
for _ in range(10):
    try:
        socket.send_fds(gift.socket, [b'{"action": "PING"}'], [null] * 253)
        expect("a request with descriptors", "invalid-descriptor", gift.receive()["code"])
    except PermissionError:  # since Linux 6.16 the kernel sends none of it
        pass
    gift.send({"action": "PING"})
    expect("a request without", "pong", gift.receive()["message"])
check_bystander("253 descriptors, ten times")
wait_until("the broker keeps no descriptors", lambda: count_descriptors() <= before + 1)

for _ in range(1000):
    client = socket.socket(socket.AF_UNIX)
    client.connect(bystander.socket.getpeername())
    idle.append(client)
check_bystander("1,000 connections")
for client in idle:
    client.close()
# The bystander, the silent, the deaf, the one with gifts, and the one that asks.
wait_until("five connections are left", lambda: call("STATUS")["payload"]["connections"] == 5)
