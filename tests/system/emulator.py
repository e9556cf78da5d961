"""Plays an emulator whose guest pings its host, over the socket of a framed link.

    emulator.py SOCKET ADDRESS HOST COUNT SECONDS_BETWEEN

It speaks what Dolphin's network adapter speaks: before each frame its length in two bytes, the low one
first, in a write of its own. Frames are Ethernet II (RFC 894) with ARP (RFC 826) and ICMP echo (RFC 792).
It prints "answered N of COUNT", and fails unless it was all of them.
"""
import socket
import struct
import sys
import time

MAC = bytes.fromhex("0009bf000001")
BROADCAST = b"\xff" * 6
ARP, IPV4 = b"\x08\x06", b"\x08\x00"
ASKS, ANSWERS = 1, 2
ECHO_REPLY, ECHO = 0, 8
SECONDS = 10  # for the last answers


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)


def with_checksum(data, at):
    return data[:at] + checksum(data) + data[at + 2 :]


def ethernet(to, kind, body):
    return (to + MAC + kind + body).ljust(60, b"\0")


def arp(operation, address, to, to_address):
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + MAC + address + to + to_address
    return ethernet(to if operation == ANSWERS else BROADCAST, ARP, body)


def echo(kind, address, to, to_address, rest):
    message = with_checksum(struct.pack(">BBH", kind, 0, 0) + rest, 2)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, 64, 1, 0) + address + to_address
    return ethernet(to, IPV4, with_checksum(header, 10) + message)


class Emulator:
    """The guest, and its end of the link."""

    def __init__(self, path, address, host):
        self.address, self.host = socket.inet_aton(address), socket.inet_aton(host)
        self.host_mac = None
        self.answers = set()
        self.received = b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def send(self, frame):
        self.socket.settimeout(SECONDS)  # it has what is left of a turn of listen
        self.socket.sendall(struct.pack("<H", len(frame)))
        self.socket.sendall(frame)

    def take_arp(self, frame):
        operation, mac, sender, _, target = struct.unpack(">6xH6s4s6s4s", frame[14:42])
        if operation == ANSWERS and sender == self.host:
            self.host_mac = mac
        elif operation == ASKS and target == self.address:
            self.send(arp(ANSWERS, self.address, mac, sender))

    def take_ipv4(self, frame):
        end = 14 + struct.unpack(">H", frame[16:18])[0]
        message = frame[14 + 4 * (frame[14] & 15) : end]
        if frame[23] == 1 and frame[30:34] == self.address and message[0] == ECHO_REPLY:
            self.answers.add(message[6:8])
        elif frame[23] == 1 and frame[30:34] == self.address and message[0] == ECHO:
            self.send(echo(ECHO_REPLY, self.address, frame[6:12], frame[26:30], message[4:]))

    def frames(self):
        while len(self.received) >= 2:
            end = 2 + struct.unpack("<H", self.received[:2])[0]
            if len(self.received) < end:
                return
            yield self.received[2:end]
            self.received = self.received[end:]

    def listen(self, until, enough=lambda: False):
        """Takes frames until that time, or until it is enough."""
        while not enough() and (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return
            if not data:
                sys.exit("The link has ended.")
            self.received += data
            for frame in self.frames():
                if frame[12:14] == ARP:
                    self.take_arp(frame)
                elif frame[12:14] == IPV4:
                    self.take_ipv4(frame)

    def ping(self, count, between):
        self.send(arp(ASKS, self.address, bytes(6), self.host))
        self.listen(time.monotonic() + SECONDS, lambda: self.host_mac)
        if not self.host_mac:
            sys.exit("The host does not answer ARP.")
        begin = time.monotonic()
        for number in range(count):
            rest = struct.pack(">HH", 1, number) + b"netbroker." * 5
            self.send(echo(ECHO, self.address, self.host_mac, self.host, rest))
            self.listen(begin + (number + 1) * between)
        self.listen(time.monotonic() + SECONDS, lambda: len(self.answers) == count)
        return len(self.answers)


def main(path, address, host, count, between):
    answered = Emulator(path, address, host).ping(int(count), float(between))
    print(f"answered {answered} of {count}")
    return answered != int(count)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
