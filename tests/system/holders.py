"""What holders.sh needs around the holders, on the other end of their network: packets that tables
are asked about, and those that they must not read; datagrams, connections, and a service manager.

    holders.py SOCKET MANAGER    until it is killed
"""
import os
import socket
import sys
import time

PORT = 4711
s0 = socket.if_nametoindex("s0")


def open_senders():
    """Pairs of a socket, and what is sent where."""
    v4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    v4.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.1.0.2"))
    v6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, s0)
    for sender, level, option in ((v4, socket.IPPROTO_IP, socket.IP_MULTICAST_TTL),
                                  (v6, socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS)):
        sender.setsockopt(level, option, 8)
    igmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    icmp6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    return [(v4, b"x", ("239.9.9.%d", 9)), (v6, b"x", ("ff0e::9:%d", 9)),
            (v4, b"x", ("10.1.0.1", PORT)), (v6, b"x", ("fd00:1::1", PORT)),
            (igmp, b"\x16" + bytes(7), ("10.1.0.1", 0)),
            (icmp6, b"\x80" + bytes(7), ("fd00:1::1", 0))]


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    try:
        client.connect(path)
    except OSError:
        pass  # there is none yet, or too many wait
    return client


manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[2])
os.chmod(sys.argv[2], 0o777)
manager.setblocking(False)
senders = open_senders()
print("ready", flush=True)
for turn in range(100000):
    for sender, bytes_, (host, port) in senders:
        try:
            sender.sendto(bytes_, (host % (turn % 200) if "%" in host else host, port))
        except OSError:
            pass  # nobody listens there
    client = connect(sys.argv[1])
    try:
        while True:
            manager.recv(4096)
    except BlockingIOError:
        pass
    time.sleep(0.02)
    client.close()
