"""Frames for the tests of captures, and a reader of the ring that knows nothing of libnetbroker.

    capture.py send IFACE COUNT [HEX...]  sends each frame so often; HEX is all behind the addresses
    capture.py between FILE FILE MARK     compares what two files have between frames with this text
    capture.py fences IFACE               what a reader may do to the memory that it was given
    capture.py slow IFACE                 reads nothing until a line comes, then all; prints counts
    capture.py hold IFACE                 opens one and stays
    capture.py late IFACE                 reads when a line comes; prints how many frames, and why it ended
    capture.py keep IFACE                 opens and closes one after the other, and keeps their memory
"""
import array
import ctypes
import fcntl
import json
import mmap
import os
import select
import socket
import struct
import sys
import time

from protocol import SOCKET, expect

ADDRESSES = bytes.fromhex("ffffffffffff020000000001")


def send(iface, count, bodies):
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((iface, 0))
    for _ in range(int(count)):
        for body in bodies:
            sender.send(ADDRESSES + bytes.fromhex(body))


def frames(path):
    """Of a pcap file with nanoseconds: (time, length, bytes) each."""
    data = open(path, "rb").read()
    expect("the magic of " + path, 0xa1b23c4d, struct.unpack_from("<I", data)[0])
    at, found = 24, []
    while at < len(data):
        seconds, nanoseconds, captured, length = struct.unpack_from("<IIII", data, at)
        at += 16
        found.append((seconds * 10**9 + nanoseconds, length, data[at:at + captured]))
        at += captured
    return found


def between(one, other, mark):
    def part(path):
        found = frames(path)
        marks = [i for i, (_, _, raw) in enumerate(found) if mark.encode() in raw]
        if len(marks) < 2:
            sys.exit(f"FAILED: {path} has {len(marks)} marks in {len(found)} frames")
        return found[marks[0]:marks[-1] + 1]
    left, right = part(one), part(other)
    for i, (a, b) in enumerate(zip(left, right)):
        expect(f"frame {i}", a, b)
    expect("the number of frames", len(left), len(right))
    print(len(left))


class Refused(Exception):
    pass


class Ring:
    """A capture, by docs/protocol.md."""

    def __init__(self, iface, **fields):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(SOCKET)
        request = {"action": "OPEN_CAPTURE", "payload": dict(interface=iface, **fields)}
        self.socket.sendall(json.dumps(request).encode())
        text, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(12))
        while not text.endswith(b"\n"):
            text += self.socket.recv(65536)
        self.reply = json.loads(text)
        if self.reply["status"] != "success":
            raise Refused(self.reply["message"])
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data)
        self.ring, self.page, self.bell = fds
        self.control = mmap.mmap(self.ring, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
        magic, version, self.size, self.offset = struct.unpack_from("<IIQI", self.control)
        expect("magic and version", (0x676e6952, 1), (magic, version))
        self.data = mmap.mmap(self.ring, self.offset + self.size, mmap.MAP_SHARED, mmap.PROT_READ)
        self.mine = mmap.mmap(self.page, 4096)
        self.at = 0

    def records(self):
        """What is there: (kind, sequence, payload) each."""
        head, = struct.unpack_from("<Q", self.control, 128)
        while self.at < head:
            place = self.at % self.size
            header = self.take(place, 32)
            length, _, sequence, _, kind = struct.unpack_from("<IIQQH", header)
            yield kind, sequence, self.take(place + 32, length)
            self.at += (32 + length + 7) & ~7
        # All at once: struct.pack_into() writes zeros first, and the service may see those.
        self.mine[0:8] = struct.pack("<Q", self.at)

    def take(self, place, length):
        place %= self.size
        first = self.data[self.offset + place:self.offset + min(place + length, self.size)]
        return first + self.data[self.offset:self.offset + length - len(first)]


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]


def works(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "refused")


def may_write(fd):
    """A mapping for reading becomes one for writing."""
    place = LIBC.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
    works(LIBC.mprotect(place, 4096, mmap.PROT_READ | mmap.PROT_WRITE))


def punch(fd):
    works(LIBC.fallocate(fd, 3, 0, 4096))  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE


def open_mapped():
    """By the file that a mapping says it is of."""
    for line in open("/proc/self/maps"):
        if "netbroker-capture" in line:
            os.open("/proc/self/map_files/" + line.split()[0], os.O_RDWR)
            return


def fences(iface):
    ring = Ring(iface)

    def fails(what, act):
        try:
            act()
        except OSError:
            return
        sys.exit(f"FAILED: a reader can {what}")
    fails("map the ring for writing", lambda: mmap.mmap(ring.ring, 4096))
    fails("write to the ring", lambda: os.pwrite(ring.ring, b"x", 0))
    fails("have its mapping made writable", lambda: may_write(ring.ring))
    fails("punch a hole into the ring", lambda: punch(ring.ring))
    fails("take its seals off", lambda: fcntl.fcntl(ring.ring, fcntl.F_ADD_SEALS, 0))
    fails("open it again for writing", lambda: os.open(f"/proc/self/fd/{ring.ring}", os.O_RDWR))
    fails("open it again by its mapping", open_mapped)
    fails("make it one that can be opened", lambda: os.fchmod(ring.ring, 0o666))
    fails("write what is not written through", lambda: os.posix_fallocate(ring.ring, 0, 1))
    fails("shrink the ring", lambda: os.ftruncate(ring.ring, 4096))
    fails("grow the ring", lambda: os.ftruncate(ring.ring, 1 << 26))
    fails("shrink its page", lambda: os.ftruncate(ring.page, 0))
    fails("write to the bell", lambda: os.write(ring.bell, b"x"))
    fails("open packet sockets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    for lie in (2**64 - 8, 2**63, 12345, 1):
        struct.pack_into("<Q", ring.mine, 0, lie)
        struct.pack_into("<Q", ring.mine, 128, lie | 1)
    print("ready", flush=True)
    sys.stdin.readline()


def slow(iface):
    ring = Ring(iface, buffer=262144, ethertypes=["0x88b5"], direction="in")
    print("ready", flush=True)
    sys.stdin.readline()
    kept = lost = 0
    expected = 0
    while kept + lost < 4000:
        for kind, sequence, payload in ring.records():
            if kind == 3:
                continue
            expect("the sequence", expected, sequence)
            count = struct.unpack("<QQ", payload)[0] if kind == 2 else 1
            expected += count
            kept, lost = (kept, lost + count) if kind == 2 else (kept + 1, lost)
        select.select([ring.bell], [], [], 0.1)
    print(kept + lost, "some lost" if lost else "none lost", "some kept" if kept else "none kept")


def hold(iface):
    ring = Ring(iface)
    print("ready", ring.reply["payload"]["capture"], flush=True)
    sys.stdin.readline()


def late(iface):
    ring = Ring(iface, buffer=1 << 20, ethertypes=["0x88b5"], direction="in")
    print("ready", flush=True)
    sys.stdin.readline()
    frames = sum(kind == 1 for kind, _, _ in ring.records())
    print(frames, struct.unpack_from("<Q", ring.control, 136)[0])


KEPT, BUFFER, SHARE = 12, 8 << 20, 24 << 20


def bytes_of(rings):
    return sum(os.fstat(fd).st_blocks * 512 for ring in rings for fd in (ring.ring, ring.page))


def say_it_is_read(ring):
    """Who looks at a mapping, or writes there, takes a page, which is his own."""
    if os.fstat(ring.ring).st_blocks > 0:
        ring.mine[0:8] = os.pread(ring.ring, 8, 128)


def keep(iface):
    """Of each ring all descriptors and mappings stay, but for the bells of some. Others say that
    they have read everything; one does not read, and its bell stays. None ever has more than the
    share: each is asked for until there is room."""
    rings, end = [], time.monotonic() + 120
    while len(rings) < KEPT:
        if time.monotonic() > end:
            sys.exit(f"FAILED: there was room for {len(rings)} rings")
        for ring in rings[1::2]:
            say_it_is_read(ring)
        try:
            ring = Ring(iface, buffer=BUFFER)
        except Refused as why:
            if "one user may have at most" not in str(why):
                sys.exit(f"FAILED: {why}")
            time.sleep(0.05)
            continue
        rings.append(ring)
        expect("all of a ring is there", True, bytes_of([ring]) > BUFFER)
        expect("the share holds", True, bytes_of(rings) <= SHARE)
        if len(rings) % 2 == 1 and len(rings) > 1:
            os.close(ring.bell)
        ring.socket.close()
    while bytes_of(rings) > 4096 * KEPT // 2:
        if time.monotonic() > end:
            sys.exit(f"FAILED: {bytes_of(rings)} bytes are kept")
        time.sleep(0.05)
    for ring in rings:
        expect("what the service wrote to", 0, os.fstat(ring.ring).st_blocks)
    for ring in rings:
        expect("what is mapped", bytes(64), ring.data[BUFFER:BUFFER + 64])
    print("nothing is kept", flush=True)


if sys.argv[1] == "send":
    send(sys.argv[2], sys.argv[3], sys.argv[4:])
elif sys.argv[1] == "between":
    between(*sys.argv[2:])
else:
    MODES = {"fences": fences, "slow": slow, "hold": hold, "late": late, "keep": keep}
    try:
        MODES[sys.argv[1]](sys.argv[2])
    except Refused as refused:
        sys.exit(str(refused))
