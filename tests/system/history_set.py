"""Sets of 20,000 routes are committed, and the broker is killed at random moments of that: a set is
there whole or not at all, in the service and in the kernel, and its holder with it.

    history_set.py ROUTES ROUNDS

Half of a set is in the one before as well, a quarter with another interface, and a quarter is new.
The seed of chance is printed; NB_SEED gives it."""
import os
import random
import socket
import sys
import time

from history import Connection, Service
from history_model import ROOT
from protocol import expect

MEMBER = 3001
count, rounds = int(sys.argv[1]), int(sys.argv[2])
chunk = 200


def group(number):
    return f"239.{1 + number // 62500}.{number // 250 % 250}.{number % 250}"


def make_set(number):
    """{group: its outgoing interface}."""
    routes = {group(i): "r1" for i in range(count // 2)}
    routes.update({group(i): f"r{1 + number % 2}" for i in range(count // 2, count * 3 // 4)})
    start = count * (3 + number % 2) // 4
    routes.update({group(i): "r1" for i in range(start, start + count // 4)})
    return routes


def stage(connection, routes):
    connection.send(("BEGIN_REPLACE", {}))
    expect("the beginning", "success", connection.receive()["status"])
    requests = [("ADD_MFC", {"source": "10.1.0.2", "group": name, "iif": "r0", "oifs": [oif]})
                for name, oif in routes.items()]
    for start in range(0, len(requests), chunk):
        part = requests[start:start + chunk]
        connection.send(*part)
        for _ in part:
            expect("a staged route", "success", connection.receive()["status"])


def routes_of(service):
    rules = service.ask(ROOT, "SHOW_MFC")["payload"]["mfc_rules"]
    return {rule["group"]: " ".join(rule["oifs"]) for rule in rules}


def leases_of(service):
    """{group: lease}; all are the member's."""
    leases = service.ask(ROOT, "LEASES")["payload"]["leases"]
    expect("holders", {(MEMBER, "client")},
           {(lease.get("uid"), lease["origin"]) for lease in leases})
    return {lease["what"].split(", ")[1].split(")")[0]: lease["lease"] for lease in leases}


def kernel_view():
    """Of the default table, as /proc has it: ip(8) takes a second for so many."""
    with open("/proc/net/ip_mr_vif") as file:
        names = {line.split()[0]: line.split()[1] for line in file.readlines()[1:]}
    with open("/proc/net/ip_mr_cache") as file:
        entries = [line.split() for line in file.readlines()[1:]]
    return {socket.inet_ntoa(bytes.fromhex(entry[0])[::-1]):
            " ".join(names[oif.split(":")[0]] for oif in entry[6:]) for entry in entries}


def check(service, before, after, replied, leases):
    """Returns which of the two is there, and the leases."""
    seen = routes_of(service)
    there = after if seen == after else before
    wrong = {name for name in {*seen, *there} if seen.get(name) != there.get(name)}
    expect(f"routes that are neither of the old nor of the new set ({len(seen)} are there)", 0,
           len(wrong))
    expect("the set that was acknowledged is there", True, seen == after or not replied)
    expect("the kernel has it", True, kernel_view() == there)
    held = leases_of(service)
    expect("routes with a lease", set(there), set(held))
    expect("leases that are others than before", [],
           [name for name in held if name in leases and held[name] != leases[name]])
    return there, held


def main():
    seed = int(os.environ.get("NB_SEED", time.time_ns() % 1000000))
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    service = Service("broker")
    there, leases, took, done = {}, {}, 0, 0
    for number in range(rounds + 1):
        wanted = make_set(number)
        connection = Connection(MEMBER)
        stage(connection, wanted)
        start = time.monotonic()
        connection.send(("COMMIT", {}))
        if number > 0:
            time.sleep(random.uniform(0, 1.1 * took))
            service.kill()
            reply = connection.receive()
            service.end_connections()
            service.begin()
        else:
            reply = connection.receive()
            took = time.monotonic() - start
        if reply:
            expect("the answer to COMMIT", "success", reply["status"])
        there, leases = check(service, there, wanted, reply is not None, leases)
        done += there == wanted
        connection.close()
    print(f"COMMIT took {1000 * took:.0f} ms; done in {done - 1} of {rounds} rounds")


main()
