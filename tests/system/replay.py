"""Capture files for the tests of send and replay, and comparisons of what was sent with what came.

    replay.py make FILE KIND        writes a pcap file: "all" kinds of frames, "gaps", "cut", "long",
                                    "raw" (no Ethernet), "one" frame, "others" (two sources)
    replay.py text FILE             its frames as lines of hexadecimal digits
    replay.py same FILE FILE        have both the same frames, byte for byte? prints how many
    replay.py gaps FILE CAME [SPEED [PASSES]]
                                    do the gaps of what came agree with those of the file? prints
                                    the drift and the error of the best tenth in microseconds
    replay.py rate CAME PPS         the same with equal gaps
"""
import struct
import sys

SOURCE = bytes.fromhex("020000000001")
BEGIN = 1_700_000_000_000_000_000


def frame(body, source=SOURCE, destination="010ccd040001"):
    return bytes.fromhex(destination) + source + body


def number(n, length=60):
    return bytes.fromhex("88b5") + n.to_bytes(4, "big") + bytes(length - 18)


def all_kinds():
    tag, outer, priority = "81006064", "88a8200a", "8100e000"
    for head in ("88b5", tag + "88ba", priority + "88b8", outer + tag + "88ba", "0800", "0032"):
        for length in (46, 47, 300, 1400, 1486):
            yield frame(bytes.fromhex(head) + bytes([length % 251] * length))


def gaps():
    """Bursts, short and long gaps, a pause: about a second."""
    at = 0
    for n in range(300):
        yield at, frame(number(n))
        at += (0, 500_000, 1_000_000, 2_000_000, 7_777_777)[n % 5] + (300_000_000 if n == 150 else 0)


def make(path, kind):
    frames = {
        "all": lambda: [(1000 * n, raw, 0) for n, raw in enumerate(all_kinds())],
        "gaps": lambda: [(at, raw, 0) for at, raw in gaps()],
        "cut": lambda: [(n, frame(number(n)), 1400 if n == 2 else 0) for n in range(5)],
        "long": lambda: [(n, frame(number(n, 3000 if n == 3 else 60)), 0) for n in range(5)],
        "raw": lambda: [(0, frame(number(0)), 0)],
        "one": lambda: [(0, frame(number(0)), 0)],
        "others": lambda: [(n, frame(number(n), bytes.fromhex("0200000000") + bytes([1 + n % 2])), 0)
                           for n in range(6)],
    }[kind]()
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144,
                               101 if kind == "raw" else 1))
        for at, raw, whole in frames:
            seconds, ns = divmod(BEGIN + at, 10**9)
            file.write(struct.pack("<IIII", seconds, ns, len(raw), whole or len(raw)) + raw)


def read(path):
    """Of a pcap file with nanoseconds: (time, bytes) each."""
    data = open(path, "rb").read()
    if struct.unpack_from("<I", data)[0] != 0xa1b23c4d:
        sys.exit(f"FAILED: {path} is no pcap file with nanoseconds")
    at, found = 24, []
    while at < len(data):
        seconds, ns, captured, _ = struct.unpack_from("<IIII", data, at)
        at += 16
        found.append((seconds * 10**9 + ns, data[at:at + captured]))
        at += captured
    return found


def text(path):
    for _, raw in read(path):
        print(raw.hex())


def same(one, other):
    left, right = [raw for _, raw in read(one)], [raw for _, raw in read(other)]
    for n, (a, b) in enumerate(zip(left, right), 1):
        if a != b:
            sys.exit(f"FAILED: frame {n}: {a.hex()} became {b.hex()}")
    if len(left) != len(right):
        sys.exit(f"FAILED: {len(left)} frames became {len(right)}")
    print(len(left))


def compare(wanted, came):
    """Times in ns, of the same frames. No frame is early, so the best one has no error. Stalls of the
    machine make many late, but in each quarter some are on time: of their best tenth, the change
    from the first quarter to the last one is the drift."""
    if len(wanted) != len(came):
        sys.exit(f"FAILED: {len(wanted)} frames became {len(came)}")
    errors = [c - w for w, c in zip(wanted, came)]
    best = min(errors)
    errors = [error - best for error in errors]
    quarter = max(len(errors) // 4, 1)
    first, last, all_of_them = [sorted(part)[len(part) // 10]
                                for part in (errors[:quarter], errors[-quarter:], errors)]
    print((last - first) // 1000, all_of_them // 1000)


def wanted_times(path, speed, passes):
    times = [at for at, _ in read(path)]
    spent = times[-1] - times[0]
    length = spent + spent // (len(times) - 1)
    return [(n * length + at - times[0]) / speed for n in range(passes) for at in times]


def main(command, *words):
    if command == "make":
        make(*words)
    elif command == "text":
        text(*words)
    elif command == "same":
        same(*words)
    elif command == "gaps":
        speed, passes = float((words[2:] or ["1"])[0]), int((words[3:] or ["1"])[0])
        compare([int(t) for t in wanted_times(words[0], speed, passes)],
                [at for at, _ in read(words[1])])
    elif command == "rate":
        came = [at for at, _ in read(words[0])]
        compare([n * 10**9 // int(words[1]) for n in range(len(came))], came)


main(*sys.argv[1:])
