"""Clients that are killed at each step: what they asked for happens whole or not at all, and nothing
of them is left. A dying process closes its connection, wherever it is in the protocol."""
import os
import signal
import sys
import time

from protocol import Client, call, expect

ADD = (b'{"action": "ADD_MFC", "payload": {"group": "239.9.1.1", "iif": "r0", "oifs": ["r1"],'
       b' "table": 100}}')
SHOW = b'{"action": "SHOW"}'
SUBSCRIBE = b'{"action": "SUBSCRIBE"}'
rounds = int(sys.argv[1])


def die(client, sent, read):
    """A child sends so many bytes, perhaps reads a reply, and is killed."""
    child = os.fork()
    if child == 0:
        client.send(sent)
        if read:
            client.receive()
        os.kill(os.getpid(), signal.SIGKILL)
    client.close()
    expect("killed", -signal.SIGKILL, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def wait_until(what, condition):
    end = time.monotonic() + 10
    while not condition():
        expect(f"in time: {what}", True, time.monotonic() < end)
        time.sleep(0.01)


def status():
    return call("STATUS")["payload"]


def count_descriptors():
    return len(os.listdir(f"/proc/{status()['broker']['pid']}/fd"))


def has_route():
    return any(rule["table"] == 100 for rule in call("SHOW")["payload"]["mfc_rules"])


def check_nothing_left(before):
    wait_until("the connections are gone", lambda: status()["connections"] == 1)
    expect("subscribers", 0, status()["subscribers"])
    wait_until("the descriptors are gone", lambda: count_descriptors() == before)


before = count_descriptors()
for _ in range(rounds):
    for length in range(0, len(ADD) + 1, 7):  # the table is opened anew each time
        die(Client(), ADD[:length], False)
        expect("a route of part of a request", False, has_route())
    for sent, read in (ADD, False), (ADD, True), (ADD + SHOW, False), (SUBSCRIBE + ADD, True):
        die(Client(), sent, read)
        wait_until("the route of a whole request", has_route)
        call("DEL_MFC", group="239.9.1.1", table=100)
    for sent, read in (SHOW, False), (SHOW * 100, True), (SUBSCRIBE, False), (SUBSCRIBE, True):
        die(Client(), sent, read)
    check_nothing_left(before)
