"""Plays Dolphin, and programs that send in other ways, at the socket of a tapserver.

    dolphin.py PLACE ADDRESS HOST WAY COUNT|FILE

PLACE is the path of a Unix socket or ADDRESS:PORT. WAY is how frames are sent:

    two       the header in a write of its own, as Dolphin does
    bytes     each byte in a write of its own
    unframed  without a header

    thief     no pings, but frames from ADDRESS, which is the host's Ethernet address, until there is the FILE

It pings the host 100 times a second, COUNT times or until there is the FILE, prints "answered N of COUNT" and
fails unless it was all of them. A frame of no bytes, which would let Dolphin spin, is an error.
"""
import os
import socket
import struct
import sys
import time
import zlib

import emulator
from emulator import ARP, ASKS, ECHO, IPV4, Emulator, arp, echo

BETWEEN = 0.01
COUNT_MAX = 60000  # of a FILE that never comes
ARP_BYTES = 42
IPV6 = b"\x86\xdd"


def connect(place):
    """As Dolphin takes it: a path begins with a slash."""
    if place.startswith("/"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(place)
    else:
        host, port = place.rsplit(":", 1)
        client = socket.create_connection((host, int(port)))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


class Dolphin(Emulator):
    def __init__(self, place, address, host, way):
        self.address, self.host = socket.inet_aton(address), socket.inet_aton(host)
        self.host_mac = None
        self.answers = set()
        self.received = b""
        self.way = way
        self.socket = connect(place)

    def send(self, frame):
        self.socket.settimeout(emulator.SECONDS)  # it has what is left of a turn of listen
        if self.way == "unframed":
            self.socket.sendall(frame[: ARP_BYTES if frame[12:14] == ARP else None])
        elif self.way == "two":
            super().send(frame)
        else:
            for byte in struct.pack("<H", len(frame)) + frame:
                self.socket.sendall(bytes([byte]))

    def unframed_length(self):
        kind = self.received[12:14]
        if len(self.received) < 20:
            return 20
        if kind == IPV4:
            return 14 + struct.unpack(">H", self.received[16:18])[0]
        if kind == IPV6:
            return 14 + 40 + struct.unpack(">H", self.received[18:20])[0]
        if kind != ARP:
            sys.exit(f"A frame of the type {kind.hex()} came unframed.")
        return ARP_BYTES

    def frames(self):
        if self.way != "unframed":
            for frame in super().frames():
                if not frame:
                    sys.exit("A frame of no bytes came.")
                yield frame
        while self.way == "unframed" and len(self.received) >= (end := self.unframed_length()):
            yield self.received[:end]
            self.received = self.received[end:]

    def find_host(self):
        self.send(arp(ASKS, self.address, bytes(6), self.host))
        self.listen(time.monotonic() + emulator.SECONDS, lambda: self.host_mac)
        if not self.host_mac:
            sys.exit("The host does not answer ARP.")

    def ping_until(self, is_enough):
        """Returns how many were sent."""
        begin, sent = time.monotonic(), 0
        while not is_enough(sent) and sent < COUNT_MAX:
            rest = struct.pack(">HH", 1, sent) + b"netbroker." * 5
            self.send(echo(ECHO, self.address, self.host_mac, self.host, rest))
            sent += 1
            self.listen(begin + sent * BETWEEN)
        self.listen(time.monotonic() + emulator.SECONDS, lambda: len(self.answers) == sent)
        return sent


def steal(place, mac, until):
    """Sends from the host's own address, to be where frames for the host go."""
    client = connect(place)
    frame = b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) + b"\x88\xb5" + bytes(46)
    print("begun", flush=True)
    while not os.path.exists(until):
        client.sendall(struct.pack("<H", len(frame)) + frame)
        time.sleep(BETWEEN / 5)


def main(place, address, host, way, until):
    if way == "thief":
        return steal(place, address, until)
    # Clients of one link have different addresses.
    emulator.MAC = b"\x00\x09\xbf" + struct.pack(">I", zlib.crc32(address.encode()))[1:]
    dolphin = Dolphin(place, address, host, way)
    dolphin.find_host()
    print("begun", flush=True)
    if until.isdigit():
        sent = dolphin.ping_until(lambda sent: sent == int(until))
    else:
        sent = dolphin.ping_until(lambda _: os.path.exists(until))
    print(f"answered {len(dolphin.answers)} of {sent}")
    return len(dolphin.answers) != sent


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
