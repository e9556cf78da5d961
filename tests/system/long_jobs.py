"""A user with much to do beside one with little. The kernel tells the service who connected by the
effective user at that moment, so that one process is both."""
import json
import os
import sys
import time

from protocol import Client, expect

GREEDY, MODEST = 3001, 3002  # of make_users, in lib.sh
ROUTES = 20000
SLOW_MS = 250  # a busy machine included; it takes some 2 ms


def connect_as(uid):
    os.seteuid(uid)
    client = Client(timeout=60)
    os.seteuid(0)
    return client


def request(action, **payload):
    return json.dumps({"action": action, "payload": payload}).encode() + b"\n"


def route(number, **more):
    return {"source": f"10.0.{number >> 8}.{number & 255}", "group": "239.1.1.1", "iif": "lo",
            "oifs": [], **more}


def answers(client, count):
    for _ in range(count):
        yield client.receive()


def stage(client, numbers, **more):
    """What a COMMIT makes of these is all that the user has."""
    numbers = list(numbers)
    expect("a set begins", "success", client.call("BEGIN_REPLACE")["status"])
    for at in range(0, len(numbers), 200):
        part = numbers[at:at + 200]
        client.send(b"".join(request("ADD_MFC", **route(number, **more)) for number in part))
        for reply in answers(client, len(part)):
            expect("a route of the set", "staged", reply["payload"]["result"])


def timed(function):
    start = time.monotonic()
    function()
    return (time.monotonic() - start) * 1000


def commit_one(number):
    """A set of one route, in the place of the one before."""
    client = connect_as(MODEST)
    stage(client, [number])
    ms = timed(lambda: expect("a small set", "success", client.call("COMMIT")["status"]))
    client.close()
    return ms


def in_time(what, ms):
    print(f"{what}: {ms:.1f} ms", file=sys.stderr)
    expect(f"{what} in {SLOW_MS} ms, and not {ms:.0f}", True, ms < SLOW_MS)


def drain(clients, requests):
    for client in clients:
        for reply in answers(client, requests):
            if reply["status"] != "success":
                expect("a refusal", "limit", reply["code"])


def beside_reads(action, **payload):
    """3,000 pipelined requests that look at what the greedy one has, on 1,000 connections."""
    clients = [connect_as(GREEDY) for _ in range(1000)]
    for client in clients:
        client.send(request(action, **payload) * 3)
    in_time(f"a small set beside {action}", commit_one(40000))
    drain(clients, 3)
    for client in clients:
        client.close()


greedy = connect_as(GREEDY)
stage(greedy, range(ROUTES))
expect("a large set", "success", greedy.call("COMMIT")["status"])
in_time("a small set alone", commit_one(40001))
beside_reads("FLUSH_MFC", dry_run=True)

# A queue of work is bounded, and who has too much of it is told so.
many = [connect_as(GREEDY) for _ in range(1000)]
for client in many:
    client.send(request("FLUSH_MFC", dry_run=True))
replies = [client.receive() for client in many]
refused = [reply for reply in replies if reply["status"] != "success"]
expect("some of too many are refused", True, 0 < len(refused) < len(many))
expect("how", {"limit"}, {reply["code"] for reply in refused})
for client in many:
    client.close()

# While his set is applied, another's change of another table does not wait at all, and one of the
# same table not long. What the modest one has goes at once, whatever there is besides.
greedy = connect_as(GREEDY)  # a slow build has ended the one that was idle
stage(greedy, range(ROUTES, 2 * ROUTES), table=100)
greedy.send(request("COMMIT"))
time.sleep(0.02)
client = connect_as(MODEST)
in_time("an addition beside a large set", timed(lambda: expect(
    "an addition", "success", client.call("ADD_MFC", **route(50001))["status"])))
in_time("a deletion of all of the modest one", timed(lambda: expect(
    "what is deleted", 2, client.call("FLUSH_MFC")["payload"]["count"])))
expect("the large set", "success", greedy.receive()["status"])

# The end of a connection that holds much.
greedy.call("FLUSH_MFC")
holder = connect_as(GREEDY)
for at in range(0, ROUTES, 200):
    holder.send(b"".join(request("ADD_MFC", **route(at + i, while_connected=True))
                         for i in range(200)))
    for reply in answers(holder, 200):
        expect("a route of a connection", "success", reply["status"])
holder.close()
in_time("a small set beside the end of a connection", commit_one(40002))
