"""A name service as nscd(8) is, of one user and one group beside those
of the files: see nscd-client.h of the GNU C library.

    nscd.py SOCKET
"""
import os
import socket
import struct
import sys

VERSION, GETPWBYNAME, GETGRBYNAME = 2, 0, 2
FAR_USER = [b"far-away", b"x", b"70001", b"70001", b"", b"/", b"/bin/false"]
FAR_GROUP = [b"far-group", b"x", b"70002", b""]


def entry(file, name):
    """The fields of the name's line, or None."""
    with open(file, "rb") as lines:
        for line in lines:
            fields = line.rstrip(b"\n").split(b":")
            if fields[0] == name:
                return fields
    return None


def user(fields):
    texts = [text + b"\0" for text in (*fields[:2], *fields[4:7])]
    lengths = [len(text) for text in texts]
    return struct.pack("=9i", VERSION, 1, *lengths[:2], int(fields[2]), int(fields[3]),
                       *lengths[2:]) + b"".join(texts)


def group(fields):
    texts = [text + b"\0" for text in fields[:2]]
    return struct.pack("=6i", VERSION, 1, *map(len, texts), int(fields[2]), 0) + b"".join(texts)


def nothing(fields):
    return struct.pack(f"={fields}i", VERSION, *[0] * (fields - 1))


def answer(kind, name):
    if kind == GETPWBYNAME:
        fields = FAR_USER if name == FAR_USER[0] else entry("/etc/passwd", name)
        return user(fields) if fields else nothing(9)
    fields = FAR_GROUP if name == FAR_GROUP[0] else entry("/etc/group", name)
    return group(fields) if fields else nothing(6)


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listener.listen()
while True:
    connection, _ = listener.accept()
    with connection:
        request = connection.recv(4096)
        if len(request) < 12:
            continue
        version, kind, length = struct.unpack("=3i", request[:12])
        name = request[12:12 + length].rstrip(b"\0")
        if version == VERSION and kind in (GETPWBYNAME, GETGRBYNAME):
            connection.sendall(answer(kind, name))
