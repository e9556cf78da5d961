"""Streams of Sampled Values that the service makes, by docs/protocol.md, without libnetbroker; and
what arrives of them.

    streams.py listen IFACE FILE            writes frames that come in there to FILE, with the time
                                            at which they came, until a line or the end of input
    streams.py frames FILE [APPID]          prints of each: when it came, in ns; smpCnt of its ASDUs,
                                            smpSynch, and the first number of the first sample
    streams.py check FILE APPID RATE ASDUS START SEGMENT...
                                            just these frames came of a stream whose frames are all
                                            sent, with the right numbers and samples, and none before
                                            its time. START: ns; SEGMENT: BEGIN:END:VALUE:COUNT:COPIES,
                                            where the first sample has VALUE
    streams.py appids FILE                  how many frames came, by their APPID
    streams.py last FILE APPID              the last smpCnt of a stream of which none is missing
    streams.py attack FIELDS SECONDS        writes what it can, that is right and wrong, and without end
    streams.py rewrite FIELDS COUNT         rewrites each template as soon as it is published
    streams.py run FIELDS                   reads lines, and does what they say: see run()
FIELDS: those of OPEN_INJECT, as JSON.
"""
import json
import select
import socket
import struct
import sys
import time

from inject import HEADER, Ring
from protocol import expect

TEMPLATE, SAMPLES, PLAY, STOP, SYNCH = 1, 2, 3, 4, 5
BEHIND = 2**64 - 1
SAMPLE = 64  # bytes: 8 channels
SV = 0x88ba


# --- Frames -------------------------------------------------------------------------------------

def ber(tag, content):
    length = len(content)
    if length < 128:
        head = bytes([tag, length])
    elif length < 256:
        head = bytes([tag, 0x81, length])
    else:
        head = bytes([tag, 0x82, length >> 8, length & 255])
    return head + content


def frame(asdus=1, name="MU01", appid=0x4000, refr_tm=False, sample=SAMPLE, synch=2,
          source="020000000001", destination="010ccd040000", ethertype=SV, tags=b""):
    fields = ber(0x80, name.encode("latin1")) + ber(0x82, bytes(2)) + ber(0x83, b"\0\0\0\1")
    if refr_tm:
        fields += ber(0x84, bytes(7) + b"\x0a")
    fields += ber(0x85, bytes([synch])) + ber(0x87, bytes(sample))
    apdu = ber(0x60, ber(0x80, bytes([asdus])) + ber(0xa2, ber(0x30, fields) * asdus))
    return (bytes.fromhex(destination + source) + tags + struct.pack("!H", ethertype) +
            struct.pack("!HHHH", appid, 8 + len(apdu), 0, 0) + apdu)


def items(data):
    """The tags and contents of BER."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length > 128:
            count = length - 128
            length = int.from_bytes(data[at:at + count], "big")
            at += count
        yield tag, data[at:at + length]
        at += length


def decode(data):
    """APPID and of each ASDU its fields by tag."""
    at = 12
    while data[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    expect("the EtherType", SV, int.from_bytes(data[at:at + 2], "big"))
    appid, length = struct.unpack_from("!HH", data, at + 2)
    [(tag, pdu)] = items(data[at + 10:at + 2 + length])
    expect("a savPdu", 0x60, tag)
    return appid, [dict(items(asdu)) for tag, sequence in items(pdu) if tag == 0xa2
                   for _, asdu in items(sequence)]


# --- Who listens --------------------------------------------------------------------------------

def listen(iface, path):
    """A capture file with ns, of what comes in."""
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    listener.bind((iface, 3))
    listener.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    listener.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        print("ready", flush=True)
        ends = False
        while True:
            ready, _, _ = select.select([listener] if ends else [listener, sys.stdin], [], [],
                                        0 if ends else None)
            if not ready:
                return
            if sys.stdin in ready:
                ends = True
            if listener not in ready:
                continue
            data, ancillary, _, address = listener.recvmsg(65535, 128)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            for _, _, stamp in ancillary:
                seconds, ns = struct.unpack("<qq", stamp)
            out.write(struct.pack("<IIII", seconds, ns, len(data), len(data)) + data)


def raw_frames(path):
    """Those of Sampled Values; one that is written just now is left out."""
    with open(path, "rb") as capture:
        data = capture.read()
    at = 24
    while at + 16 <= len(data):
        seconds, ns, length, _ = struct.unpack_from("<IIII", data, at)
        bytes_of = data[at + 16:at + 16 + length]
        at += 16 + length
        if at <= len(data) and bytes_of[12:14] in (b"\x88\xba", b"\x81\0"):
            yield seconds * 10**9 + ns, bytes_of


def frames_of(path, appid=None):
    for came, bytes_of in raw_frames(path):
        its, asdus = decode(bytes_of)
        if appid is None or its == appid:
            yield came, asdus


def frames(path, appid=None):
    for came, asdus in frames_of(path, int(appid, 0) if appid else None):
        counts = ",".join(str(int.from_bytes(a[0x82], "big")) for a in asdus)
        value = int.from_bytes(asdus[0][0x87][:4], "big")
        print(came, counts, asdus[0][0x85][0], value)


def due_of(rate, sample):
    return sample // rate * 10**9 + sample % rate * 10**9 // rate


def check(path, appid, rate, asdus, start, *segments):
    rate, asdus, start = int(rate), int(asdus), int(start)
    expected = []
    for segment in segments:
        begin, end, value, count, copies = map(int, segment.split(":"))
        for sample in range(begin, end, asdus):
            expected += [[(s, value + (s - begin) % count)
                          for s in range(sample, sample + asdus)]] * copies
    seen = 0
    for came, fields in frames_of(path, int(appid, 0)):
        if seen == len(expected):
            sys.exit(f"FAILED: more than {seen} frames came")
        for (sample, value), asdu in zip(expected[seen], fields):
            expect(f"smpCnt of frame {seen}", sample % rate, int.from_bytes(asdu[0x82], "big"))
            expect(f"the sample of frame {seen}", value, int.from_bytes(asdu[0x87][:4], "big"))
            if 0x84 in asdu:
                due = start + due_of(rate, sample)
                seconds, fraction = struct.unpack(">II", asdu[0x84])
                expect(f"the seconds of refrTm of frame {seen}", due // 10**9, seconds)
                told = (fraction >> 8) * 10**9 / 2**24
                if abs(told - due % 10**9) > 60:
                    sys.exit(f"FAILED: refrTm of frame {seen}: {told} ns, and not {due % 10**9}")
                expect(f"the quality of refrTm of frame {seen}", 0x0a, fraction & 255)
        if came < start + due_of(rate, expected[seen][-1][0]):
            sys.exit(f"FAILED: frame {seen} came before its time")
        seen += 1
    expect("how many frames came", len(expected), seen)


def appids(path):
    """How many frames came of each."""
    counts = {}
    for _, data in raw_frames(path):
        at = 12
        while data[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
            at += 4
        counts[data[at + 2:at + 4].hex()] = counts.get(data[at + 2:at + 4].hex(), 0) + 1
    print(json.dumps(counts))


def last(path, appid):
    """The number of the last frame of a stream with one ASDU that has no gap; else why not."""
    before = None
    for _, [asdu] in frames_of(path, int(appid, 0)):
        count = int.from_bytes(asdu[0x82], "big")
        if before is not None and count not in (before + 1, 0):
            sys.exit(f"FAILED: smpCnt {count} behind {before}")
        before = count
    print(before)


# --- Who sends ----------------------------------------------------------------------------------

class Stream(Ring):
    played = property(lambda self: self.word(3456))
    next = property(lambda self: self.word(3464))
    starved = property(lambda self: self.word(3472))
    dropped = property(lambda self: self.word(3480))

    def record(self, kind, data=b"", when=0, tag=0):
        """Waits until there is room."""
        while not self.put(data, tag=tag, flags=kind, when=when):
            self.publish()
            self.wait(0.01)
            if self.ended:
                sys.exit(f"ended {self.ended}")

    def template(self, rate, **more):
        self.record(TEMPLATE, frame(**more), tag=rate)

    def samples(self, place, values, length=SAMPLE):
        """Samples whose first channel has these values."""
        values = list(values)
        for i in range(0, len(values), 100):
            self.record(SAMPLES, b"".join(struct.pack("!I", v) + bytes(length - 4)
                                          for v in values[i:i + 100]), when=place + i, tag=place + i)

    def play(self, begin, first, count, repeats=1, how=0, tag=0):
        self.record(PLAY, struct.pack("<QIIII", begin, first, count, repeats, how), tag=tag)

    def stop(self, sample):
        self.record(STOP, when=sample, tag=sample)

    def synch(self, value):
        self.record(SYNCH, bytes([value]), tag=value)

    def until(self, what, is_so, seconds=20):
        end = time.monotonic() + seconds
        while not is_so():
            if self.ended:
                sys.exit(f"ended {self.ended}")
            if time.monotonic() > end:
                sys.exit(f"FAILED: no {what} in {seconds} s: {self.told()}")
            time.sleep(0.005)

    def told(self):
        return {"sent": self.sent, "played": self.played, "next": self.next,
                "starved": self.starved, "dropped": self.dropped, "refused": self.refused(),
                "started": self.word(2304)}


def number(text):
    return BEHIND if text == "behind" else int(text, 0)


def run(fields):
    """A line: template RATE [KEY=VALUE...]; samples PLACE COUNT VALUE (values that grow by one); play
    BEGIN FIRST COUNT REPEATS HOW; stop SAMPLE; synch VALUE; until played|next|starved|sent|dropped
    NUMBER; sleep SECONDS; told; refusals; hold (until the ring ends or the input does)."""
    stream = Stream(fields)
    print("open", stream.reply["payload"]["inject"], stream.reply["payload"]["lease"], flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "template":
            more = dict(item.split("=") for item in rest[1:])
            stream.template(int(rest[0]), **{key: value if key in
                                             ("name", "source", "destination") else int(value, 0)
                                             for key, value in more.items()})
        elif word == "samples":
            place, count, value = map(int, rest)
            stream.samples(place, range(value, value + count))
        elif word == "play":
            stream.play(number(rest[0]), *map(int, rest[1:]))
        elif word == "stop":
            stream.stop(int(rest[0]))
        elif word == "synch":
            stream.synch(int(rest[0]))
        elif word == "until":
            stream.publish()
            stream.until(line.strip(), lambda: getattr(stream, rest[0]) >= int(rest[1]))
        elif word == "taken":
            stream.publish()
            stream.until("end of what was put", lambda: stream.tail >= stream.head)
        elif word == "sleep":
            stream.publish()
            time.sleep(float(rest[0]))
        elif word == "told":
            stream.publish()
            print(json.dumps(stream.told()), flush=True)
        elif word == "refusals":
            print(" ".join(f"{record}:{tag}:{reason}"
                           for _, tag, reason, record, _ in stream.refused_records()), flush=True)
        elif word == "hold":
            stream.publish()
            stream.until("end", lambda: False, 300)
        else:
            sys.exit(f"FAILED: no such word: {word}")
    stream.close()


def attack(fields, seconds):
    """Records of all types, at random, as fast as they can be written."""
    stream = Stream(fields)
    stream.template(4000)
    random = __import__("random").Random(1)
    numbers = [0, 1, 2, 63, 64, 2**31, 2**32 - 1, 2**63, 2**64 - 2, 2**64 - 1]
    end = time.monotonic() + float(seconds)
    written = 0
    while time.monotonic() < end and not stream.ended:
        kind = random.randrange(8)
        if kind == PLAY:
            data = struct.pack("<QIIII", random.choice(numbers),
                               *(random.choice(numbers) % 2**32 for _ in range(3)),
                               random.randrange(4))
        elif kind == TEMPLATE:
            data = bytearray(frame(asdus=random.randrange(1, 3), refr_tm=random.random() < 0.5))
            for _ in range(random.randrange(3)):
                data[random.randrange(12, len(data))] = random.randrange(256)
        else:
            data = bytes(random.choice([0, 1, 7, 24, 64, 128, 4096]))
        if stream.put(bytes(data), tag=random.choice([4000, 0, 2**64 - 1]), flags=kind,
                      when=random.choice(numbers)):
            written += 1
        if written % 64 == 0:
            stream.publish()
    print(written, stream.ended)
    stream.close()


def rewrite(fields, count):
    """What is sent is a template that was judged, whole."""
    stream = Stream(fields)
    good = frame(destination="010ccd040000")
    evil = frame(destination="010ccd050000")
    stream.template(4000)
    stream.samples(0, range(80))
    stream.play(0, 0, 80, 0)
    for _ in range(int(count)):
        at = stream.head
        stream.record(TEMPLATE, good, tag=4000)
        stream.publish()
        for _ in range(4):
            stream.write(at + HEADER, evil)
            stream.write(at + HEADER, good)
        if stream.ended:
            sys.exit(f"FAILED: ended {stream.ended}")
    stream.until("end of the templates", lambda: stream.tail == stream.head)
    stream.until("frame", lambda: stream.sent > 1000)
    print("rewritten", stream.refused())
    stream.close()


ACTS = {"appids": appids, "last": last, "attack": attack, "rewrite": rewrite,
        "listen": listen, "frames": frames, "check": check, "run": run}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
