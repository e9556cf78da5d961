"""A sender that knows nothing of libnetbroker, by docs/protocol.md, and a listener.

    inject.py listen IFACE COUNT            prints COUNT frames that come in there, as hexadecimal
    inject.py send FIELDS HEX...            sends each frame; prints what became of them
    inject.py hold FIELDS [HEX...]          opens one, sends, and stays until a line comes or the end
    inject.py rewrite FIELDS COUNT          rewrites each frame as soon as it is published
    inject.py lie FIELDS                    indices and lengths that cannot be; prints the reasons
    inject.py fences FIELDS                 what a sender may do to the memory that it was given
    inject.py flood FIELDS SECONDS          sends what it can; prints how many went out
    inject.py ring FIELDS                   fills its bell again and again for two seconds; prints
                                            how often the service has looked for that
    inject.py moved FIELDS HEX              sends it 100 times in 2 s from a timed ring; prints what
                                            became of them, after a line came
    inject.py again SECONDS ACT FIELDS...   one of these again and again
    inject.py refused FIELDS COUNT          is refused so often and reads no refusal
    inject.py keep FIELDS COUNT             keeps all of so many that have ended, but for some bells
    inject.py overtaken FIELDS COUNT        sends a frame at a time, beside two that send what they
                                            can; prints by how many of theirs each was overtaken at
                                            most, and what was refused
FIELDS: those of OPEN_INJECT, as JSON.
"""
import array
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

ENDS = ["", "closed", "revoked", "interface", "service", "index", "record", "layout"]
REASONS = ["sent", "too-long", "too-short", "flags", "source", "destination", "ethertype", "vlan",
           "rate", "kernel", "down", "late", "time", "template", "table"]
HEADER = 24
F_GETPIPE_SZ = 1032


def round8(length):
    return (length + 7) & ~7


class Ring:
    """An injector, by docs/protocol.md."""

    def __init__(self, fields):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(SOCKET)
        request = {"action": "OPEN_INJECT", "payload": json.loads(fields)}
        self.socket.sendall(json.dumps(request).encode())
        text, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(16))
        while not text.endswith(b"\n"):
            text += self.socket.recv(65536)
        self.reply = json.loads(text)
        if self.reply["status"] != "success":
            sys.exit(self.reply["message"])
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data)
        self.ring, self.page, self.bell, self.room = fds
        self.feedback = mmap.mmap(self.page, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
        magic, version, self.size, self.offset, self.most = struct.unpack_from(
            "<IIQII", self.feedback)
        expect("magic and version", (0x676e6952, 1), (magic, version))
        self.data = mmap.mmap(self.ring, self.offset + self.size)
        self.head = 0
        self.heard = 0
        self.waits = 0

    def close(self):
        self.socket.close()
        self.feedback.close()
        self.data.close()
        for fd in (self.ring, self.page, self.bell, self.room):
            os.close(fd)

    def word(self, offset):
        return struct.unpack_from("<Q", self.feedback, offset)[0]

    tail = property(lambda self: self.word(128))
    ended = property(lambda self: ENDS[self.word(264)])
    judged = property(lambda self: self.word(384))
    sent = property(lambda self: self.word(392))

    def refused(self):
        return {REASONS[i]: self.word(408 + 8 * i) for i in range(1, len(REASONS))
                if self.word(408 + 8 * i)}

    def write(self, at, data):
        at %= self.size
        first = min(len(data), self.size - at)
        self.data[self.offset + at:self.offset + at + first] = data[:first]
        self.data[self.offset:self.offset + len(data) - first] = data[first:]

    def put(self, frame, tag=0, flags=0, length=None, when=0):
        record = HEADER + round8(len(frame))
        if self.head + record - self.tail > self.size:
            return False
        self.write(self.head, struct.pack("<IIQQ", len(frame) if length is None else length,
                                          flags, tag, when) + frame)
        self.head += record
        return True

    def tell(self, offset, number):
        """All at once: struct.pack_into() writes zeros first, and the service may see those."""
        self.data[offset:offset + 8] = struct.pack("<Q", number)

    def publish(self, head=None):
        self.tell(0, self.head if head is None else head)
        self.ring_bell()

    def ring_bell(self, times=1):
        try:
            return os.write(self.bell, b"x" * times)
        except BlockingIOError:
            return 0

    def wait(self, seconds=0.1):
        self.waits += 1 + self.waits % 2
        self.tell(128, self.waits)
        ready, _, _ = select.select([self.room], [], [], seconds)
        if ready:
            os.read(self.room, 64)

    def refusals(self):
        for sequence, tag, reason, _, length in self.refused_records():
            yield sequence, tag, reason, length

    def refused_records(self):
        """With the type of a stream's record."""
        told = self.word(640)
        while self.heard < told:
            sequence, tag, what = struct.unpack_from("<QQQ", self.feedback,
                                                     768 + 24 * (self.heard % 64))
            yield sequence, tag, REASONS[what & 0xffff], what >> 16 & 0xffff, what >> 32
            self.heard += 1
        self.tell(256, self.heard)

    def until_judged(self, count, seconds=10):
        end = time.monotonic() + seconds
        while self.judged < count and not self.ended:
            if time.monotonic() > end:
                sys.exit(f"FAILED: {self.judged} of {count} frames were judged")
            self.wait(0.05)


def listen(iface, count):
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    listener.bind((iface, 3))
    listener.setsockopt(263, 8, 1)  # PACKET_AUXDATA: a tag that the kernel has taken out
    listener.settimeout(20)
    print("ready", flush=True)
    seen = 0
    while seen < int(count):
        frame, ancillary, _, address = listener.recvmsg(70000, 256)
        if address[2] == socket.PACKET_OUTGOING:
            continue
        for _, _, data in ancillary:
            status, _, _, _, _, tci, tpid = struct.unpack("<IIIHHHH", data)
            if status & 16:
                frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        print(frame.hex(), flush=True)
        seen += 1


def send(fields, *frames):
    ring = Ring(fields)
    for i, frame in enumerate(frames):
        ring.put(bytes.fromhex(frame), tag=100 + i)
    ring.publish()
    ring.until_judged(len(frames))
    print("sent", ring.sent, " ".join(f"{tag}:{reason}:{length}"
                                      for _, tag, reason, length in ring.refusals()))
    expect("the counts", len(frames), ring.sent + sum(ring.refused().values()))


def hold(fields, *frames):
    ring = Ring(fields)
    for frame in frames:
        ring.put(bytes.fromhex(frame))
    ring.publish()
    ring.until_judged(len(frames))
    print("ready", ring.reply["payload"]["inject"], ring.reply["payload"]["lease"], flush=True)
    poll = select.poll()
    poll.register(ring.room, 0)
    poll.register(0, select.POLLIN)
    while not ring.ended:
        events = dict(poll.poll(200))
        if 0 in events:
            return
        if ring.room in events and not ring.ended:
            print("gone", flush=True)
            return
    print("ended", ring.ended, flush=True)


def rewrite(fields, count):
    """What is sent is what was judged, or it is refused; never a mixture."""
    ring = Ring(fields)
    good = bytes.fromhex("ffffffffffff" + "020000000001" + "88b5") + b"good" * 250
    evil = bytes.fromhex("ffffffffffff" + "020000000001" + "0800") + b"evil" * 250
    done = 0
    while done < int(count):
        at = ring.head
        while not ring.put(good):
            ring.wait(0.01)
        ring.publish()
        for _ in range(4):
            ring.write(at + HEADER, evil)
            ring.write(at + HEADER, good)
            ring.write(at, struct.pack("<I", len(evil)))
        done += 1
    ring.until_judged(done)
    print(ring.sent + sum(ring.refused().values()))


def lie(fields):
    frame = bytes(64)

    def head_behind(ring):
        ring.publish(2**64 - 8)

    def head_beyond(ring):
        ring.publish(ring.size + 8)

    def head_within(ring):
        ring.put(frame)
        ring.publish(ring.head - 4)

    def length_beyond(ring):
        ring.put(frame, length=4096)
        ring.publish()

    def length_huge(ring):
        ring.put(frame, length=0xffffffff)
        ring.publish()

    def half_a_header(ring):
        ring.put(frame)
        ring.publish(8)

    for act in (head_behind, head_beyond, head_within, length_beyond, length_huge, half_a_header):
        ring = Ring(fields)
        act(ring)
        ring.until_judged(1000)
        print(ring.ended, end=" ")
        ring.close()
    ring = Ring(fields)
    ring.put(frame, flags=1, tag=7)
    ring.put(bytes(13), tag=8)
    struct.pack_into("<QQ", ring.data, 128, 2**63 | 1, 0)
    struct.pack_into("<Q", ring.data, 256, 2**63)
    ring.publish()
    ring.until_judged(2)
    print(*(f"{tag}:{reason}" for _, tag, reason, _ in ring.refusals()))
    ring.close()


def fences(fields):
    ring = Ring(fields)

    def fails(what, act):
        try:
            act()
        except OSError:
            return
        sys.exit(f"FAILED: a sender can {what}")
    fails("map the feedback for writing", lambda: mmap.mmap(ring.page, 4096))
    fails("write to the feedback", lambda: os.pwrite(ring.page, b"x", 0))
    fails("shrink the ring", lambda: os.ftruncate(ring.ring, 4096))
    fails("grow the ring", lambda: os.ftruncate(ring.ring, 1 << 26))
    fails("write to the service's bell", lambda: os.write(ring.room, b"x"))
    fails("read its own bell", lambda: os.read(ring.bell, 1))
    fails("open packet sockets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    print("fenced")


def flood(fields, seconds):
    ring = Ring(fields)
    frame = bytes.fromhex("ffffffffffff" + "020000000001" + "88b5") + bytes(46)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end and not ring.ended:
        while ring.put(frame) and ring.head % 8192:
            pass
        ring.publish()
        if ring.size - (ring.head - ring.tail) < 200:
            ring.wait(0.01)
    print(ring.sent, ring.ended)


def ring(fields):
    """The service reads 256 bytes at a time."""
    ring_of = Ring(fields)
    end = time.monotonic() + 2
    rung = -fcntl.fcntl(ring_of.bell, F_GETPIPE_SZ)
    while time.monotonic() < end:
        rung += ring_of.ring_bell(4096)
    os.close(ring_of.bell)
    ring_of.bell = os.dup(ring_of.room)
    time.sleep(0.5)
    ring_of.close()
    print(rung // 256)


def refused(fields, count):
    """The ring of refusals is full, and nobody reads it: the rest is counted."""
    ring = Ring(fields)
    frame = bytes.fromhex("ffffffffffff" + "020000000099" + "88b5") + bytes(46)
    for _ in range(int(count)):
        while not ring.put(frame):
            ring.publish()
            ring.wait(0.01)
    ring.publish()
    ring.until_judged(int(count))
    print(ring.refused(), "told", ring.word(640), "untold", ring.word(648))
    ring.close()


def keep(fields, count):
    """What became of the last frames can be looked at; then all pages are given back."""
    rings, end = [], time.monotonic() + 60
    for i in range(int(count)):
        ring = Ring(fields)
        ring.socket.close()
        while not ring.ended:
            time.sleep(0.005)
        expect("why it ended", "revoked", ring.ended)
        if i % 2:
            os.close(ring.room)
        rings.append(ring)

    def pages():
        return sum(os.fstat(fd).st_blocks for ring in rings for fd in (ring.page, ring.ring))
    while pages() > 0:
        if time.monotonic() > end:
            sys.exit(f"FAILED: {pages() * 512} bytes are kept")
        time.sleep(0.05)
    expect("what is mapped", [bytes(4)] * len(rings), [ring.feedback[:4] for ring in rings])
    print("nothing is kept")


def moved(fields, frame):
    """Frames 20 ms apart that wait for their time: the address of their interface changes."""
    ring = Ring(fields)
    for i in range(100):
        ring.put(bytes.fromhex(frame), when=i * 20000000)
    ring.publish()
    ring.until_judged(5)
    print("ready", flush=True)
    sys.stdin.readline()
    ring.until_judged(100)
    print(ring.sent, *ring.refused().items(), flush=True)


def overtaken(fields, count):
    crowd = [Ring(fields), Ring(fields)]
    quiet = Ring(fields)
    frame = bytes.fromhex("ffffffffffff" + "020000000001" + "88b5") + bytes(986)

    def fill():
        for ring in crowd:
            while ring.put(frame):
                pass
            ring.publish()

    def sent():
        return sum(ring.sent for ring in crowd)

    fill()
    while sent() < 10:
        time.sleep(0.01)
    most = 0
    for done in range(1, int(count) + 1):
        before = sent()
        quiet.put(frame)
        quiet.publish()
        quiet.until_judged(done)
        most = max(most, sent() - before)
        fill()
    print(most, [ring.refused() for ring in crowd + [quiet]])


def again(seconds, act, *arguments):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        ACTS[act](*arguments)


ACTS = {"listen": listen, "send": send, "hold": hold, "rewrite": rewrite, "lie": lie,
     "fences": fences, "flood": flood, "ring": ring, "refused": refused, "keep": keep,
     "overtaken": overtaken, "moved": moved,
     "again": again}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
