"""A subscriber and a publisher of IEC 61850 that share nothing with ours: written from the ASN.1 of
IEC 61850-9-2 (savPdu), 61850-8-1 (goosePdu) and ISO 9506-2 (Data) alone.

    iec61850.py show FILE           each frame of a pcap file as a line of JSON, with all its fields;
                                    it ends at the first frame that does not keep to the rules
    iec61850.py fields FILE NAME... some of them: of the frame, or of its first ASDU
    iec61850.py sv FILE             writes frames of Sampled Values as others may: lengths in their
                                    long form, each set of optional fields, numbers of channels
    iec61850.py goose FILE          the same of GOOSE: nested data, numbers with zeros before them

It is stricter than a receiver has to be: numbers are as short as they can be, lengths too.
"""
import itertools
import json
import struct
import sys

SV, GOOSE = 0x88BA, 0x88B8


class Wrong(Exception):
    pass


def must(true, what):
    if not true:
        raise Wrong(what)


# --- Reading ------------------------------------------------------------------------------------

def items(data):
    """Tags and contents, one after the other."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        must(tag & 0x1F != 0x1F, "a tag has one byte")
        at += 2
        if length >= 0x80:
            count = length & 0x7F
            must(0 < count <= 4, "a length is definite")
            length = int.from_bytes(data[at:at + count], "big")
            at += count
            must(length >= 0x80 and (count == 1 or length >> 8 * (count - 1)),
                 "a length is as short as it can be")
        must(at + length <= len(data), "an item is whole")
        yield tag, data[at:at + length]
        at += length


def integer(data, signed=True):
    must(data, "a number has a byte")
    must(len(data) == 1 or not (data[0] == 0 and data[1] < 0x80 or
                                data[0] == 0xFF and data[1] >= 0x80),
         "a number is as short as it can be")
    value = int.from_bytes(data, "big", signed=True)
    must(signed or value >= 0, "an unsigned number is not negative")
    return value


def sized(size):
    def number(data):
        must(len(data) == size, f"it has {size} bytes")
        return int.from_bytes(data, "big")
    return number


def text(data):
    must(all(0x20 <= byte < 0x7F for byte in data), "a VisibleString is printable")
    return data.decode("ascii")


def boolean(data):
    must(len(data) == 1, "a BOOLEAN has one byte")
    return data[0] != 0


def utc(data):
    """ns since 1970, and what the clock says of itself."""
    must(len(data) == 8, "a UtcTime has 8 bytes")
    seconds, fraction = struct.unpack(">I", data[:4])[0], int.from_bytes(data[4:7], "big")
    return [seconds * 10**9 + round(fraction * 10**9 / 2**24), data[7]]


def real(data):
    sizes = {5: (8, ">f"), 9: (11, ">d")}
    must(len(data) in sizes and sizes[len(data)][0] == data[0], "a FloatingPoint is IEEE 754")
    return struct.unpack(sizes[len(data)][1], data[1:])[0]


def bits(data):
    must(data and data[0] < 8, "a BIT STRING says how many bits are unused")
    string = "".join(f"{byte:08b}" for byte in data[1:])
    must(not data[0] or "1" not in string[-data[0]:], "unused bits are 0")
    return string[:len(string) - data[0]] if data[0] else string


DATA = {
    0x83: boolean, 0x84: bits, 0x85: integer, 0x86: lambda data: integer(data, False), 0x87: real,
    0x89: bytes.hex, 0x8A: text, 0x8C: bytes.hex, 0x90: lambda data: data.decode("utf-8"),
    0x91: utc,
}


def values(data):
    return [values(content) if tag in (0xA1, 0xA2) else DATA[tag](content)
            for tag, content in items(data)]


def sequence(data, fields):
    """Fields in their order: (tag, name, read, whether it may be missing)."""
    found, rest = {}, list(items(data))
    for tag, name, read, optional in fields:
        if rest and rest[0][0] == tag:
            found[name] = read(rest.pop(0)[1])
        else:
            must(optional, f"there is {name}")
    must(not rest, f"nothing is behind the last field: {rest[:1]}")
    return found


def samples(data):
    must(len(data) % 8 == 0, "a sample is of INT32 and quality")
    return [list(struct.unpack(">iI", data[at:at + 8])) for at in range(0, len(data), 8)]


ASDU = [(0x80, "svID", text, False), (0x81, "datSet", text, True),
        (0x82, "smpCnt", sized(2), False), (0x83, "confRev", sized(4), False),
        (0x84, "refrTm", utc, True), (0x85, "smpSynch", sized(1), False),
        (0x86, "smpRate", sized(2), True), (0x87, "sample", samples, False),
        (0x88, "smpMod", sized(2), True), (0x89, "gmIdentity", bytes.hex, True)]


def asdus(data):
    found = []
    for tag, content in items(data):
        must(tag == 0x30, "a seqASDU is of ASDUs")
        found.append(sequence(content, ASDU))
    return found


GOOSE_PDU = [(0x80, "gocbRef", text, False), (0x81, "timeAllowedtoLive", integer, False),
             (0x82, "datSet", text, False), (0x83, "goID", text, True), (0x84, "t", utc, False),
             (0x85, "stNum", integer, False), (0x86, "sqNum", integer, False),
             (0x87, "simulation", boolean, True), (0x88, "confRev", integer, False),
             (0x89, "ndsCom", boolean, True), (0x8A, "numDatSetEntries", integer, False),
             (0xAB, "allData", values, False)]


def frame(data):
    found = {"dst": data[:6].hex(":"), "src": data[6:12].hex(":")}
    at = 12
    if data[at:at + 2] == b"\x81\x00":
        tci = struct.unpack(">H", data[at + 2:at + 4])[0]
        found |= {"vlan": tci & 0xFFF, "priority": tci >> 13}
        must(not tci & 0x1000, "the DEI is 0")
        at += 4
    ethertype, appid, length, reserved1, reserved2 = struct.unpack(">HHHHH", data[at:at + 10])
    apdu = data[at + 10:at + 2 + length]
    must(at + 2 + length <= len(data), "the frame is as long as it says")
    must(not any(data[at + 2 + length:]) and (at + 2 + length == len(data) or len(data) <= 60),
         "nothing but padding is behind it")
    must(reserved1 in (0, 0x8000) and reserved2 == 0, "reserved words are 0 but for the S bit")
    found |= {"appid": appid, "simulated": reserved1 == 0x8000}
    (tag, content), = items(apdu)
    if ethertype == SV:
        must(tag == 0x60, "it is a savPdu")
        found |= sequence(content, [(0x80, "noASDU", integer, False), (0xA2, "asdu", asdus, False)])
        must(found["noASDU"] == len(found["asdu"]), "noASDU is right")
    else:
        must(ethertype == GOOSE and tag == 0x61, "it is a goosePdu")
        found |= sequence(content, GOOSE_PDU)
        must(found["numDatSetEntries"] == len(found["allData"]), "numDatSetEntries is right")
    return found


def frames(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        captured, length = struct.unpack(order + "II", data[at + 8:at + 16])
        must(captured == length, "a frame is there as a whole")
        yield data[at + 16:at + 16 + captured]
        at += 16 + captured


def show(path):
    for number, data in enumerate(frames(path), 1):
        try:
            yield frame(data)
        except (Wrong, KeyError, IndexError, ValueError) as error:
            sys.exit(f"FAILED: frame {number} of {path}: {error!r}: {data.hex()}")


# --- Writing ------------------------------------------------------------------------------------

def item(tag, content, zeros=0):
    """zeros: of a length in its long form, that many bytes are 0."""
    length = len(content)
    size = max(1, (length.bit_length() + 7) // 8)
    if zeros or length >= 0x80:
        head = bytes([0x80 | size + zeros]) + bytes(zeros) + length.to_bytes(size, "big")
    else:
        head = bytes([length])
    return bytes([tag]) + head + content


def ethernet(kind, ethertype, apdu, padding=0):
    return (bytes([1, 12, 205, kind, 0, 1, 2, 0, 0, 0, 0, 1]) +
            struct.pack(">HHHH", ethertype, 0x4000, len(apdu) + 8, 0) + bytes(2) + apdu +
            bytes(padding))


def asdu(count, channels, fields, zeros):
    sample = b"".join(struct.pack(">iI", 1000 * i - count, i) for i in range(channels))
    parts = [item(0x80, b"PEER%d" % channels, zeros)]
    if "datSet" in fields:
        parts.append(item(0x81, b"PEER/LLN0$ds", zeros))
    parts += [item(0x82, struct.pack(">H", count), zeros), item(0x83, struct.pack(">I", 7))]
    if "refrTm" in fields:
        parts.append(item(0x84, struct.pack(">II", 1600000000, 0x80000020)))
    parts.append(item(0x85, b"\x02", zeros))
    if "smpRate" in fields:
        parts.append(item(0x86, struct.pack(">H", 4800)))
    parts.append(item(0x87, sample, zeros))
    if "smpMod" in fields:
        parts.append(item(0x88, b"\x00\x01"))
    if "gmIdentity" in fields:
        parts.append(item(0x89, bytes.fromhex("0030a7fffe000001")))
    return item(0x30, b"".join(parts), zeros)


def sav(asdus_of, zeros, security=False):
    return item(0x60, item(0x80, bytes(zeros) + bytes([len(asdus_of)])) +
                (item(0x81, b"") if security else b"") +
                item(0xA2, b"".join(asdus_of), zeros), zeros)


def write_sv():
    optional = ["datSet", "refrTm", "smpRate", "smpMod", "gmIdentity"]
    count = 0
    for size in range(len(optional) + 1):
        for fields in itertools.combinations(optional, size):
            yield ethernet(4, SV, sav([asdu(count, 4, fields, count % 4)], count % 3), count % 5)
            count += 1
    for channels in (1, 3, 9, 12, 24, 120):
        for count in range(3):
            yield ethernet(4, SV, sav([asdu(2 * count + i, channels, [], 0) for i in range(2)]
                                      if channels < 90 else [asdu(count, channels, [], 2)], 1,
                                      channels == 9))


NESTED = [item(0x83, b"\xff"), item(0xA2, item(0x85, b"\xff") + item(
    0xA1, item(0x86, b"\x00\x01", 1) + item(0x86, b"\x00\x00\x02"), 2) + item(0xA2, b"")),
    item(0x84, b"\x03\x80\x00"), item(0x87, b"\x0b" + struct.pack(">d", -2.25)),
    item(0x87, b"\x08" + struct.pack(">f", 0.5)), item(0x89, b"\xde\xad"),
    item(0x91, struct.pack(">II", 1600000000, 0x8000002A)), item(0x85, b"\xff\x7f", 3),
    item(0x90, "ä".encode())]


def goose(number, fields, zeros):
    data = b"".join(NESTED)
    parts = [item(0x80, b"PEER/LLN0$GO$g", zeros), item(0x81, bytes(zeros) + b"\x03\xe8"),
             item(0x82, b"PEER/LLN0$ds")]
    if "goID" in fields:
        parts.append(item(0x83, b"peer", zeros))
    parts += [item(0x84, struct.pack(">II", 1600000000, 0x8000002A)), item(0x85, b"\x01", zeros),
              item(0x86, bytes(zeros) + bytes([number]))]
    if "simulation" in fields:
        parts.append(item(0x87, b"\x00"))
    parts.append(item(0x88, b"\x00\x00\x00\x00\x07"))
    if "ndsCom" in fields:
        parts.append(item(0x89, b"\x00"))
    parts += [item(0x8A, bytes(zeros) + bytes([len(NESTED)])), item(0xAB, data, zeros)]
    return ethernet(1, GOOSE, item(0x61, b"".join(parts), zeros), number % 4)


def write_goose():
    optional = ["goID", "simulation", "ndsCom"]
    sets = itertools.chain.from_iterable(itertools.combinations(optional, n) for n in range(4))
    for number, fields in enumerate(sets):
        yield goose(number, fields, number % 3)


def write(path, written):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, data in enumerate(written): # each 20 ms
            seconds, rest = divmod(number, 50)
            file.write(struct.pack("<IIII", 1600000000 + seconds, rest * 20000, len(data),
                                   len(data)) + data)


def main(verb, path, *names):
    if verb == "show":
        for found in show(path):
            print(json.dumps(found))
    elif verb == "fields":
        for found in show(path):
            found |= found.get("asdu", [{}])[0]
            print(*[json.dumps(found.get(name)) for name in names])
    else:
        write(path, {"sv": write_sv, "goose": write_goose}[verb]())


if __name__ == "__main__":
    main(*sys.argv[1:])
