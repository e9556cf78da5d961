"""A greedy user beside a modest one. The kernel tells the service who connected by the effective
user at that moment, so that one process is both."""
import os
import time

from protocol import Client, expect

ANSWER_SECONDS = 2  # a busy machine included; an answer takes about 20 microseconds
GREEDY, MODEST = 3001, 3002  # of make_users, in lib.sh


def connect_as(uid):
    os.seteuid(uid)
    client = Client()
    os.seteuid(0)
    return client


def add(client, group):
    return client.call("ADD_MFC", group=group, iif="lo", oifs=["lo"])


def check_modest(what):
    start = time.monotonic()
    client = connect_as(MODEST)
    expect(f"another user's new connection beside {what}", "pong", client.call("PING")["message"])
    client.close()
    expect(f"another user's open connection beside {what}", "pong", modest.call("PING")["message"])
    expect(f"both in time beside {what}", True, time.monotonic() - start < ANSWER_SECONDS)


modest = connect_as(MODEST)

# Connections: a quarter of the 40.
greedy = [connect_as(GREEDY) for _ in range(20)]
for client in greedy[:10]:
    expect("a connection that he may have", "pong", client.call("PING")["message"])
for client in greedy[10:]:
    reply = client.receive()  # which comes without a request
    expect("a connection too many", "limit", reply["code"])
    expect("its message names the quota", True, "connections-per-user" in reply["message"])
    expect("its end", None, client.receive())
check_modest("all connections that one may have")
expect("refused connections", 10, modest.call("STATUS")["payload"]["load"]["refused_connections"])
for client in greedy[5:]:
    client.close()

# Groups: all that a user namespace has. They are not even read, and those that are count.
os.setgroups(range(200000, 200000 + 65536))
client = connect_as(GREEDY)
reply = client.receive()
expect("a connection of 65,536 groups", "limit", reply["code"])
expect("its message says why", True, "more than 1024 groups" in reply["message"])
client.close()
os.setgroups(range(200000, 200000 + 1024))
before = modest.call("STATUS")["payload"]["load"]["queued_bytes"]
client = connect_as(GREEDY)
expect("a connection of 1,024 groups", "pong", client.call("PING")["message"])
grown = modest.call("STATUS")["payload"]["load"]["queued_bytes"] - before
expect("the bytes of its groups", 4096, grown)
client.close()
os.setgroups([])

# Leases.
for number in range(5):
    expect("a lease that he may have", "success", add(greedy[0], f"239.1.1.{number}")["status"])
reply = add(greedy[0], "239.1.1.5")
expect("a lease too many", "limit", reply["code"])
expect("its message names the quota", True, "leases-per-user" in reply["message"])
expect("another user's lease", "success", add(modest, "239.2.1.1")["status"])
greedy[0].call("DEL_MFC", group="239.1.1.0")
expect("a lease in place of another", "success", add(greedy[0], "239.1.1.5")["status"])

# Requests: 5 connections with 40 each are 200, so that they take 4 seconds. None is lost.
for client in greedy[:5]:
    client.send(b'{"action": "PING"}' * 40)
check_modest("too many requests")
for client in greedy[:5]:
    for _ in range(40):
        expect("a late answer", "pong", client.receive()["message"])
throttled = modest.call("STATUS")["payload"]["load"]["throttled_seconds"]
expect("seconds without more requests", True, throttled >= 2)
