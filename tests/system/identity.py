"""Clients by their numbers. The kernel tells the service who connected by the effective user at that
moment, so that one process is many.

    identity.py as UID REQUEST    root asks as this uid, a member of the group netbroker, and prints
                                  the reply
    identity.py many COUNT        the user `member` makes a user namespace that maps subordinate uids
                                  and connects as each of so many; each adds a route. Prints how
                                  many replies of each kind came, and keeps the connections open
                                  until its standard input ends
"""
import collections
import ctypes
import json
import os
import resource
import sys

from protocol import Client

MEMBER, GROUP, FIRST, MAPPED = 3001, 3000, 100000, 65536
ROUTE = ('{"action": "ADD_MFC", "payload": {"group": "239.77.%d.%d", "iif": "lo", "oifs": ["lo"]}}')
CLONE_NEWUSER = 0x10000000


def ask(client, request):
    """The reply; who is refused as a user finds it there before he has asked."""
    try:
        client.send(request.encode())
    except BrokenPipeError:
        pass
    return client.receive()


def ask_as(uid, request):
    os.setgroups([GROUP])
    os.setegid(GROUP)
    os.seteuid(uid)
    print(json.dumps(ask(Client(), request)))


def wait_for(pipe):
    os.close(pipe[1])
    os.read(pipe[0], 1)


def write_map(pid, name, own, first):
    with open(f"/proc/{pid}/{name}", "w") as file:
        file.write(f"0 {own} 1\n1 {first} {MAPPED}")


def enter_namespace():
    """Into a user namespace of the member's, where it is root and has the uids 1 to MAPPED. The
    parent, which stays root, does what newuidmap(1) does."""
    made, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child:
        wait_for(made)
        write_map(child, "uid_map", MEMBER, FIRST)
        write_map(child, "gid_map", MEMBER, FIRST)
        os.close(mapped[0])
        os.close(mapped[1])
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os.setgroups([GROUP])
    os.setresgid(MEMBER, MEMBER, MEMBER)
    os.setresuid(MEMBER, MEMBER, MEMBER)
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: its maps can be written
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) < 0:
        sys.exit(f"no user namespace: {os.strerror(ctypes.get_errno())}")
    os.close(made[1])
    wait_for(mapped)


def connect_many(count):
    clients, replies = [], collections.Counter()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the soft limit is often 1024
    enter_namespace()
    for uid in range(1, count + 1):
        os.setresuid(uid, uid, 0)
        client = Client()
        os.setresuid(0, 0, 0)
        reply = ask(client, ROUTE % (uid // 256, uid % 256))
        replies[reply.get("code", "success") if reply else "nothing"] += 1
        clients.append(client)
    print(*(f"{kind}={number}" for kind, number in sorted(replies.items())), flush=True)
    sys.stdin.read()


if sys.argv[1] == "as":
    ask_as(int(sys.argv[2]), sys.argv[3])
else:
    connect_many(int(sys.argv[2]))
