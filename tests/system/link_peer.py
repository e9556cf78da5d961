#!/usr/bin/env python3
"""The ends of a link that is tested.

    link_peer.py tap NAME ADDRESS/LENGTH -- COMMAND...   makes a tap with this address and becomes the
                                                 command, in which {fd} is its descriptor
    link_peer.py offload_tap NAME ADDRESS/LENGTH -- COMMAND...    the same, with IFF_VNET_HDR
    link_peer.py relay SOCKET NAME ADDRESS/LENGTH        a station: a tap behind a u16le stream
    link_peer.py arp FRAMING PLACE ASKED [LOCAL]         asks who has this address, as a client
    link_peer.py hold FRAMING PLACE ASKED                the same, and stays
    link_peer.py thief FRAMING PLACE ASKED [MAC]         the same, says whether there is an answer
    link_peer.py answer FRAMING PLACE ADDRESS [LOCAL]    has this address, and answers who asks for it
    link_peer.py serve FRAMING PATH ASKED TIMES          the same, for one who connects, so many times
    link_peer.py idle SOCKET                             connects, says so, and never reads
    link_peer.py hostile SOCKET                          sends what is no u16le stream, or too much
    link_peer.py shout INTERFACE COUNT                   sends frames to all
    link_peer.py sink ADDRESS PORT                       prints the hash of what a TCP stream brings
    link_peer.py source ADDRESS PORT BYTES               sends such a stream, prints its hash
    link_peer.py forge FRAMING PLACE [LOCAL]             sends wrong offload headers, and stays
    link_peer.py pcap FILE                               checks a capture, prints its frames' number
"""

import fcntl
import hashlib
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
MAC = bytes.fromhex("02000000aa01")


def open_tap(name, address, flags=IFF_TAP | IFF_NO_PI):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    os.set_inheritable(fd, True)
    with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as file:
        file.write("1")
    subprocess.check_call(["ip", "address", "add", address, "dev", name])
    subprocess.check_call(["ip", "link", "set", name, "up"])
    return fd


def tap(name, address, _, *command):
    fd = open_tap(name, address)
    os.execvp(command[0], [word.replace("{fd}", str(fd)) for word in command])


def offload_tap(name, address, _, *command):
    fd = open_tap(name, address, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
    os.execvp(command[0], [word.replace("{fd}", str(fd)) for word in command])


# --- Framings: (type of socket, put a header before a frame, take a frame from a socket) ----------


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def framed(code):
    def take(sock):
        return read_exactly(sock, struct.unpack(code, read_exactly(sock, struct.calcsize(code)))[0])

    return socket.SOCK_STREAM, lambda frame: struct.pack(code, len(frame)) + frame, take


def whole(kind):
    return kind, lambda frame: frame, lambda sock: sock.recv(65536)


FRAMINGS = {
    "u16le": framed("<H"),
    "u16be": framed(">H"),
    "u32be": framed(">I"),
    # An ARP packet alone is read here, without its padding.
    "unframed": (socket.SOCK_STREAM, lambda frame: frame, lambda sock: read_exactly(sock, 42)),
    "message": whole(socket.SOCK_SEQPACKET),
    "datagrams": whole(socket.SOCK_DGRAM),
}


def connect(kind, place, local=None):
    if "/" not in place:
        host, port = place.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)
    sock = socket.socket(socket.AF_UNIX, kind)
    if local:
        sock.bind(local)
    sock.connect(place)
    sock.settimeout(10)
    return sock


def ask(sock, framing, asked):
    """One question of ARP, and its answer."""
    _, put, take = FRAMINGS[framing]
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + MAC + socket.inet_aton("10.9.0.77")
    sock.send(put(b"\xff" * 6 + MAC + b"\x08\x06" + body + bytes(6) + socket.inet_aton(asked)))
    while True:
        frame = take(sock)
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
            assert frame[28:32] == socket.inet_aton(asked), frame
            return frame[22:28]


def arp(framing, place, asked, local=None):
    sock = connect(FRAMINGS[framing][0], place, local)
    print(ask(sock, framing, asked).hex(":"))


def connect_again(sock, path):
    """The other one may not be there yet, or may be with one that was here before."""
    for _ in range(500):
        try:
            sock.connect(path)
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError


def hold(framing, place, asked):
    sock = connect(FRAMINGS[framing][0], place)
    ask(sock, framing, asked)
    print("ready", flush=True)
    time.sleep(1000)


def thief(framing, place, asked, mac=MAC.hex()):
    """Sends from another's address, by default the one that all clients here have, and says whether
    there is an answer."""
    global MAC
    MAC = bytes.fromhex(mac.replace(":", ""))
    sock = connect(FRAMINGS[framing][0], place)
    sock.settimeout(0.5)
    try:
        ask(sock, framing, asked)
        print("answered")
    except TimeoutError:
        print("nothing")


def answer(framing, place, address, local=None):
    _, put, take = FRAMINGS[framing]
    own, number = bytes.fromhex("02000000bb01"), socket.inet_aton(address)
    sock = connect(FRAMINGS[framing][0], place, local)
    sock.settimeout(None)
    print("ready", flush=True)
    while True:
        frame = take(sock)
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == number:
            reply = frame[6:12] + own + frame[12:20] + b"\0\2" + own + number + frame[22:32]
            sock.send(put(reply))


def serve(framing, path, asked, times):
    """Listens, or of datagrams is bound, anew each time, as a program that was started again."""
    for _ in range(int(times)):
        if os.path.exists(path):
            os.unlink(path)
        server = socket.socket(socket.AF_UNIX, FRAMINGS[framing][0])
        server.settimeout(10)
        server.bind(path)
        if framing == "datagrams":
            connect_again(server, path + ".link")
            ask(server, framing, asked)
        else:
            server.listen(1)
            peer, _ = server.accept()
            peer.settimeout(10)
            ask(peer, framing, asked)
            peer.close()
        server.close()
    print("answered", times)


def relay(path, name, address):
    fd = open_tap(name, address)
    sock = connect(socket.SOCK_STREAM, path)
    sock.settimeout(None)
    put, take = FRAMINGS["u16le"][1:]
    print("ready", flush=True)
    while True:
        for ready in select.select([fd, sock], [], [])[0]:
            if ready is not sock:
                sock.sendall(put(os.read(fd, 65536)))
                continue
            try:
                os.write(fd, take(sock))
            except EOFError:
                return


def idle(path):
    sock = connect(socket.SOCK_STREAM, path)
    print("ready", flush=True)
    time.sleep(1000)
    sock.close()


def hostile(path):
    random.seed(4)
    samples = [
        b"\0\0" * 1000,
        b"\1\0x" * 1000,
        b"\xff\xff" + bytes(65535),
        b"\x3c",
        b"\x3c\0" + bytes(59),
        (b"\x3c\0" + b"\x01\x80\xc2\0\0\0" + bytes(54)) * 100,
        (b"\x3c\0" + b"\xff" * 12 + bytes(48)) * 100,
        random.randbytes(100000),
    ]
    for sample in samples:
        sock = connect(socket.SOCK_STREAM, path)
        sock.settimeout(0.2)
        try:
            sock.sendall(sample)
        except OSError:
            pass
        sock.close()
    for _ in range(100):
        connect(socket.SOCK_STREAM, path).close()
    print("done")


def shout(interface, count):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    source = sock.getsockname()[4]
    frame = b"\xff" * 6 + source + b"\x88\xb5" + bytes(986)
    for number in range(int(count)):
        sock.send(frame)
        if number % 50 == 0:
            time.sleep(0.005)


def sink(address, port):
    server = socket.create_server((address, int(port)))
    print("ready", flush=True)
    sock, _ = server.accept()
    digest = hashlib.sha256()
    while data := sock.recv(1 << 18):
        digest.update(data)
    print(digest.hexdigest())


def source(address, port, size):
    random.seed(7)
    sock = socket.create_connection((address, int(port)), timeout=60)
    piece, digest = random.randbytes(1 << 18), hashlib.sha256()
    for at in range(0, int(size), len(piece)):
        part = piece[: int(size) - at]
        sock.sendall(part)
        digest.update(part)
    sock.shutdown(socket.SHUT_WR)
    print(digest.hexdigest())


def forge(framing, place, local=None):
    """Frames to all with headers that would change what others get, or make very many of one."""
    kind, put, _ = FRAMINGS[framing]
    sock = connect(kind, place, local)
    ethernet = b"\xff" * 6 + bytes.fromhex("02000000ee01") + b"\x08\x00"
    tcp = bytes.fromhex("4500ffff0000000040060000") + bytes(8) + bytes(12) + b"\x50" + bytes(1000)
    for header in (
        (1, 0, 0, 0, 6, 0, 0),  # a checksum in place of the sender's address
        (1, 1, 54, 1, 34, 16, 0),  # segments of one byte
        (1, 1, 54, 0, 34, 16, 0),
        (1, 1, 54, 0xFFFF, 34, 16, 0),  # what the kernel uses otherwise; longer than the MTU
        (1, 4, 54, 1448, 34, 16, 0),  # the other version of IP
        (1, 5, 54, 1448, 34, 16, 0),
        (1, 1, 0xFFFF, 1448, 34, 16, 0),
        (1, 0, 0, 0, 34, 0xFFFF, 0),
        (0xFF, 0, 0, 0, 0, 0, 0),
    ):
        sock.sendall(put(struct.pack("<BBHHHHH", *header) + ethernet + tcp))
    print("ready", flush=True)
    time.sleep(1000)


def pcap(path):
    with open(path, "rb") as file:
        data = file.read()
    magic, major, minor, _, _, snaplen, linktype = struct.unpack_from("<IHHIIII", data)
    assert (magic, major, minor, linktype) == (0xA1B23C4D, 2, 4, 1), (magic, major, minor, linktype)
    at, count, last = 24, 0, 0
    while at < len(data):
        seconds, nanoseconds, captured, length = struct.unpack_from("<IIII", data, at)
        assert nanoseconds < 10**9 and captured == min(length, snaplen) and length >= 14
        assert abs(seconds - time.time()) < 3600 and seconds >= last
        at, count, last = at + 16 + captured, count + 1, seconds
    assert at == len(data), "it ends within a frame"
    print(count)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
