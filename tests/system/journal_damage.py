"""The journal is damaged while no broker runs: the next one says where, uses nothing of it, and
goes on with what the state file and the kernel have.

    journal_damage.py LOG ROUNDS

The seed of chance is printed; NB_SEED gives it."""
import os
import random
import re
import signal
import struct
import sys
import time

from history import Connection, Service
from history_model import ROOT
from protocol import expect, kernel_routes

MEMBER = 3001
HEAD = struct.Struct("=4Q")  # magic, generation of the half that is read, end of each half
HEAD_SIZE = 4096
NUMBER = (1 << 40) - 1       # the rest of such a word is its checksum
RANGE = {"group": "239.50.0.0/16", "iif": "r0", "oifs": ["r1"]}
log, rounds = sys.argv[1], int(sys.argv[2])


def journal_of(keeper):
    folder = f"/proc/{keeper}/fd"
    for name in os.listdir(folder):
        if os.readlink(f"{folder}/{name}").startswith("/memfd:journal"):
            return os.open(f"{folder}/{name}", os.O_RDWR)
    sys.exit("FAILED: the keeper has no memory of the name journal")


def written(fd):
    """Where something stands that the next broker must read: [(offset, size)]."""
    _, generation, *ends = HEAD.unpack(os.pread(fd, HEAD.size, 0))
    generation &= NUMBER
    half = generation % 2
    start = os.fstat(fd).st_size // 2 if half else HEAD_SIZE
    return [(0, 8), (8, 8), (16 + 8 * half, 8), (start, ends[half] & NUMBER)]


def damage(fd, number):
    """Changes some bytes, at first of the head and then anywhere; returns the offset."""
    places = written(fd)
    start, size = places[number] if number < len(places) - 1 else places[-1]
    offset = start + random.randrange(size)
    length = min(random.choice([1, 1, 8, 64]), start + size - offset)
    before = os.pread(fd, length, offset)
    after = random.choice([bytes(length), random.randbytes(length),
                           bytes([before[0] ^ 1 << random.randrange(8)]) + before[1:]])
    if after == before:
        after = bytes(byte ^ 0xff for byte in before)
    os.pwrite(fd, after, offset)
    return offset + next(i for i in range(length) if before[i] != after[i])


def log_lines():
    with open(log, errors="replace") as file:
        return file.read().splitlines()


def told(lines):
    found = [re.search(r"journal.*damaged.*?(\d+)", line) for line in lines]
    return [int(match.group(1)) for match in found if match]


def leases(service):
    return {lease["what"]: (lease.get("uid"), lease["origin"], lease["lease"])
            for lease in service.ask(ROOT, "LEASES")["payload"]["leases"]}


def one_round(service, number, known, kernel):
    client = Connection(MEMBER)
    client.send(("ADD_MFC", RANGE))  # which is in the journal only
    expect("a route", "success", client.receive()["status"])
    client.close()
    service.rest()
    before = len(log_lines())
    os.kill(service.keeper, signal.SIGSTOP)
    service.kill()
    fd = journal_of(service.keeper)
    offset = damage(fd, number)
    os.close(fd)
    os.kill(service.keeper, signal.SIGCONT)
    service.end_connections()
    service.begin()
    places = told(log_lines()[before:])
    expect(f"lines of the log about the damage at {offset}", 1, len(places))
    expect(f"the damage at {offset} is told, as at {places[0]}", True,
           0 <= offset - places[0] < 16384)
    seen = leases(service)
    expect("what the state file knows", known, {what: seen.get(what) for what in known})
    expect("what the journal alone knew", [], [what for what in seen if RANGE["group"] in what])
    expect("the rest is found", {(None, "found")},
           {lease[:2] for what, lease in seen.items() if what not in known})
    expect("the kernel's routes", kernel, [kernel_routes("ipv4"), kernel_routes("ipv6")])


def main():
    seed = int(os.environ.get("NB_SEED", time.time_ns() % 1000000))
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    service = Service("broker")
    known = {what: lease for what, lease in leases(service).items() if "239.2." not in what}
    expect("what the state file knows, and what not", True, 0 < len(known) < len(leases(service)))
    kernel = [kernel_routes("ipv4"), kernel_routes("ipv6")]
    for number in range(rounds):
        one_round(service, number, known, kernel)
    print(f"{rounds} damages, all told")


main()
