"""Fills the service with idle clients, measures what it costs, and leaves."""
import os
import socket
import sys
import time

from protocol import SOCKET, Client, expect

BROKER = sys.argv[1]
CLIENTS = 50
SECONDS = 3


def cpu_seconds():
    with open(f"/proc/{BROKER}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


healthy = Client()
expect("before", "pong", healthy.call("PING")["message"])
idle = []
for _ in range(CLIENTS):
    client = socket.socket(socket.AF_UNIX)
    client.connect(SOCKET)
    idle.append(client)
waiting = Client(10)
waiting.send({"action": "PING"})

start = cpu_seconds()
time.sleep(SECONDS)
share = (cpu_seconds() - start) / SECONDS
expect(f"little work for those who wait: {share:.1%}", True, share < 0.05)
expect("the one that was there before", "pong", healthy.call("PING")["message"])
connections = healthy.call("STATUS")["payload"]["connections"]
expect(f"some wait: {connections} are connected", True, connections < CLIENTS)

for client in idle:
    client.close()
start = time.monotonic()
expect("the one that waited", "pong", waiting.receive()["message"])
expect("it comes in within a second", True, time.monotonic() - start < 1)
