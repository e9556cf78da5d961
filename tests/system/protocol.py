"""The protocol as a program of few lines speaks it, for the system tests.

    protocol.py request JSON    sends one request and prints the reply
    protocol.py hold JSON       sends one request, prints the reply, and stays until it is ended
    protocol.py member PATH     prints a member of the JSON on standard input, e.g. payload.vifs.0
    protocol.py agree           compares what the service shows with what the kernel shows
"""
import json
import os
import signal
import socket
import subprocess
import sys

SOCKET = os.environ.get("NETBROKER_SOCKET", "/run/netbroker/netbroker.sock")


class Client:
    """A connection; replies and events come one line each."""

    def __init__(self, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(SOCKET)
        self.lines = self.socket.makefile("rb")

    def send(self, request):
        self.socket.sendall(request if isinstance(request, bytes) else json.dumps(request).encode())

    def receive(self):
        """The next reply or event; None at the end of the connection."""
        line = self.lines.readline()
        return json.loads(line) if line else None

    def call(self, action, **payload):
        self.send({"action": action, "payload": payload})
        return self.receive()

    def close(self):
        self.lines.close()
        self.socket.close()


def call(action, **payload):
    client = Client()
    reply = client.call(action, **payload)
    client.close()
    return reply


def expect(what, expected, seen):
    if expected != seen:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


def member(value, path):
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value.get(step)
        if value is None:
            return None
    return value


def plain(value):
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value)


def kernel_routes(family):
    """The kernel's resolved entries as {(family, table, source, group): (iif, {oif: ttl})}."""
    version = {"ipv4": "-4", "ipv6": "-6"}[family]
    shown = subprocess.run(["ip", version, "-j", "-d", "mroute", "show", "table", "all"],
                           check=True, capture_output=True).stdout
    anything = {"ipv4": "0.0.0.0", "ipv6": "::"}[family]
    routes = {}
    for entry in json.loads(shown or "[]"):
        if entry.get("iif") in (None, "unresolved"):
            continue
        source = entry.get("src", anything).replace("any", anything)
        oifs = {oif["oif"]: oif.get("ttl", 1) for oif in entry.get("multipath", [])}
        routes[family, table_number(family, entry), source, entry["dst"]] = (entry["iif"], oifs)
    return routes


def table_number(family, entry):
    names = {"default": 253, "main": 254}
    table = entry.get("table", {"ipv4": "default", "ipv6": "main"}[family])
    return names.get(table) or int(table)


def exists(interface):
    return os.path.exists(f"/proc/sys/net/ipv4/conf/{interface}")


def shown_routes():
    """The same as the service tells it. In a route from any source, the kernel's entry has the iif
    among its oifs, because it would forward nothing without. Interfaces that are missing now leave
    a route partial, or all of it waiting; of what is on demand the kernel has what was learned."""
    routes = {}
    for rule in call("SHOW")["payload"]["mfc_rules"]:
        ttls = rule.get("ttls", [1] * len(rule["oifs"]))
        oifs = dict(zip(rule["oifs"], ttls))
        if rule["source"] in ("0.0.0.0", "::"):
            oifs.setdefault(rule["iif"], 1)
        if rule["state"] == "partial":
            oifs = {name: ttl for name, ttl in oifs.items() if exists(name)}
        if rule["state"] in ("installed", "partial"):
            key = rule["family"], rule["table"], rule["source"], rule["group"]
            routes[key] = (rule["iif"], oifs)
    return routes


def agree():
    kernel = {**kernel_routes("ipv4"), **kernel_routes("ipv6")}
    shown = shown_routes()
    for key in sorted(set(kernel) | set(shown)):
        expect(f"the route {key}, in the kernel and as shown", kernel.get(key), shown.get(key))


def main():
    if sys.argv[1] == "request":
        client = Client()
        client.send(sys.argv[2].encode())
        print(client.lines.readline().decode(), end="")
    elif sys.argv[1] == "hold":
        client = Client()
        client.send(sys.argv[2].encode())
        print(client.lines.readline().decode(), end="", flush=True)
        signal.pause()
    elif sys.argv[1] == "member":
        print(plain(member(json.load(sys.stdin), sys.argv[2])))
    elif sys.argv[1] == "agree":
        agree()


if __name__ == "__main__":
    main()
