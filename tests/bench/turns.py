"""Asks for everything that the service of NETBROKER_SOCKET can do, some times each, with many
routes, and prints how long it worked on one piece of each action at most.

usage: turns.py ROUTES"""
import json
import os
import re
import socket
import sys

TIMES = 20


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["NETBROKER_SOCKET"])
        self.file = self.socket.makefile("rb")

    def ask(self, action, **payload):
        request = {"action": action, "payload": payload}
        self.socket.sendall(json.dumps(request).encode())
        while True:
            reply = json.loads(self.file.readline())
            if "status" in reply:
                return reply

    def ask_all(self, requests):
        for start in range(0, len(requests), 100):
            some = requests[start : start + 100]
            self.socket.sendall("".join(json.dumps(request) for request in some).encode())
            for _ in some:
                reply = json.loads(self.file.readline())
                if reply["status"] != "success":
                    sys.exit(f"{some[0]}: {reply}")


def group(number):
    return f"239.{number // 62500 + 1}.{number // 250 % 250}.{number % 250 + 1}"


def add(number, **more):
    payload = {"source": "10.0.0.1", "group": group(number), "iif": "veth0", "oifs": ["veth1"]}
    payload.update(more)
    return {"action": "ADD_MFC", "payload": payload}


def any_source(number):
    return add(number, source="0.0.0.0", group=group(number).replace("239", "238", 1))


routes = int(sys.argv[1])
client = Client()
client.ask_all([add(number) for number in range(routes)])
client.ask_all([add(0, iif=f"veth{i}", group=f"239.200.0.{i + 1}", oifs=["veth29"]) for i in range(29)])

OTHER = {"source": "10.0.0.2", "group": "239.99.1.1"}
GONE = {"source": "10.0.0.9", "group": "239.99.9.9"}
ANY = {"group": "238.0.0.0/8", "iif": "veth3"}  # around entries of the kernel for any source
WIDE = {"group": "239.0.0.0/8", "iif": "veth3"}
ALL = [f"veth{i}" for i in range(1, 30)]
STORY = [
    ("PING", {}),
    ("STATUS", {}),
    ("METRICS", {}),
    ("METRICS", {"routes": True}),
    ("DESCRIBE", {}),
    ("CHECK_POLICY", {"verb": "mroute.write", "interfaces": ALL}),
    ("SHOW_MFC", {"group": "239.255.255.255"}),
    ("SHOW_MFC", {}),
    ("SHOW_VIF", {}),
    ("SHOW", {}),
    ("SHOW_JOIN", {}),
    ("LEASES", {}),
    ("DIAGNOSE", {"observe": 0}),
    ("DIAGNOSE", {"observe": 0, "group": "239.1.1.1"}),
    ("DIAGNOSE", {"observe": 0, "source": "10.0.0.1", "group": "239.1.1.1"}),
    ("DIAGNOSE", {"observe": 0, "source": "10.0.0.1"}),
    ("DIAGNOSE", {"observe": 0, "iif": "veth0"}),
    ("DIAGNOSE", {"observe": 0, "iif": "veth+"}),
    ("DIAGNOSE", {"observe": 100, "source": "10.0.0.1", "group": "239.1.1.1"}),
    ("ADD_MFC", {**OTHER, "iif": "veth0", "oifs": ALL}),
    ("ADD_MFC", {**OTHER, "iif": "veth0", "oifs": ["veth+"]}),
    ("DEL_MFC", OTHER),
    ("ADD_MFC", {**WIDE, "oifs": ["veth1"]}),
    ("ADD_MFC", {**WIDE, "oifs": ["veth2"], "dry_run": True}),
    ("DEL_MFC", WIDE),
    ("ADD_MFC", {**ANY, "oifs": ["veth1"]}),
    ("DEL_MFC", ANY),
    ("ADD_MFC", {"group": "239.99.1.2", "iif": "veth+", "oifs": ["veth+"]}),
    ("DEL_MFC", {"group": "239.99.1.2"}),
    ("DEL_MFC", GONE),
    ("ADD_JOIN", {"group": "239.99.1.0/24", "iif": "veth4"}),
    ("DEL_JOIN", {"group": "239.99.1.0/24", "iif": "veth4"}),
    ("SUBSCRIBE", {"topics": ["*.*.*.*"] * 15 + ["mfc.added"]}),
    ("BEGIN_REPLACE", {}),
    ("ADD_MFC", {**OTHER, "iif": "veth0", "oifs": ["veth1"]}),
    ("ABORT", {}),
    ("FLUSH_MFC", {"dry_run": True}),
    ("FLUSH_MFC", {"learned": True}),
    ("REVOKE", {"lease": "0123456789ab"}),
]
client.ask_all([any_source(number) for number in range(routes // 4)])
for action, payload in STORY:
    for _ in range(TIMES if action != "ADD_JOIN" else 1):
        client.ask(action, **payload)
# A set beside what there is, and nothing of it changes.
client.ask("BEGIN_REPLACE")
client.ask_all([add(number) for number in range(2000)])
client.ask("COMMIT", dry_run=True)
client.ask("FLUSH_MFC", all=True)

for name, value in re.findall(r'longest_piece_seconds{action="(\w+)"} ([0-9.]+)',
                              client.ask("METRICS")["payload"]["text"]):
    print(name, value)
