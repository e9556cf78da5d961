"""The broker is killed while its journal is compacted and goes on being written: what is there next
is what the acknowledged requests made, and perhaps some of those under way after them, in order.

    journal_compact.py LEASES ROUNDS

The seed of chance is printed; NB_SEED gives it."""
import os
import random
import sys
import time

from history import Connection, Service
from history_model import ROOT
from protocol import expect

COMPACTED_FROM = 16 << 20  # COMPACT_MIN of journal.c
CHUNK = 250
GROUPS = 16
TTLS = 250
leases, rounds = int(sys.argv[1]), int(sys.argv[2])


def request(number):
    """The threshold of a group's route tells which of the requests was the last one."""
    return "ADD_MFC", {"source": "10.1.0.2", "group": f"239.1.0.{number % GROUPS}", "iif": "r0",
                       "oifs": ["r1"], "ttls": [1 + number // GROUPS % TTLS]}


def thresholds_after(count):
    """{group: threshold} after the first `count` requests."""
    last = [request(number)[1] for number in range(max(0, count - GROUPS), count)]
    return {payload["group"]: payload["ttls"] for payload in last}


def add_leases(service):
    """So many that compaction takes some time."""
    connection = service.connection(ROOT)
    for start in range(0, leases, CHUNK):
        numbers = range(start, min(start + CHUNK, leases))
        connection.send(*(("ADD_MFC", {"source": "10.1.0.3", "iif": "r0", "oifs": ["r1"],
                                       "group": f"239.2.{number // 250}.{number % 250}"})
                          for number in numbers))
        for _ in numbers:
            expect("a route", "success", connection.receive()["status"])


def shown(service):
    rules = service.ask(ROOT, "SHOW_MFC", group="239.1.0.0/24")["payload"]["mfc_rules"]
    return {rule["group"]: rule["ttls"] for rule in rules}


def ids(service):
    return sorted(lease["lease"] for lease in service.ask(ROOT, "LEASES")["payload"]["leases"])


def write(connection, number):
    """A chunk of requests; returns the number of the next one."""
    connection.send(*map(request, range(number, number + CHUNK)))
    for _ in range(CHUNK):
        expect("a route", "success", connection.receive()["status"])
    return number + CHUNK


def one_round(service, number):
    """Returns the number of requests that were done."""
    connection = Connection(ROOT)
    while service.ask(ROOT, "STATUS")["payload"]["journal"]["bytes"] < COMPACTED_FROM - (64 << 10):
        number = write(connection, number)
    known = ids(service)
    end = time.monotonic() + random.uniform(0, 1)
    while time.monotonic() < end:
        number = write(connection, number)
    size = service.ask(ROOT, "STATUS")["payload"]["journal"]["bytes"]
    connection.send(*map(request, range(number, number + CHUNK)))
    time.sleep(random.uniform(0, 0.005))
    service.kill()
    answered = len(connection.receive_all())
    service.end_connections()
    service.begin()
    seen = shown(service)
    done = [count for count in range(number + answered, number + CHUNK + 1)
            if thresholds_after(count) == seen]
    expect(f"what one of requests {number + answered} to {number + CHUNK} made, in {seen}", 1,
           len(done))
    expect("the leases", known, ids(service))
    return done[0], size


def main():
    seed = int(os.environ.get("NB_SEED", time.time_ns() % 1000000))
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    service = Service("broker")
    add_leases(service)
    number = write(service.connection(ROOT), 0)
    sizes = []
    for _ in range(rounds):
        number, size = one_round(service, number)
        sizes.append(size)
    finished = sum(size < COMPACTED_FROM // 2 for size in sizes)
    print(f"{number} requests; {finished} of {rounds} compactions were finished")


main()
