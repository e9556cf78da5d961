"""Counts what IGMP and MLD say on a link, as a snooping switch would hear it.

    mcreports.py INTERFACE

It prints "listening", and at SIGTERM "joins N leaves N": how often a membership was reported as new,
or as ended, of IGMPv2 (RFC 2236), IGMPv3 (RFC 3376), MLD (RFC 2710) and MLDv2 (RFC 3810). What says
only that a membership goes on, as in answer to a query, is not counted."""
import signal
import socket
import struct
import sys

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK = 3, 4, 5, 6  # records of a change


class Counts:
    joins = leaves = 0


def count_records(data, at, count, address_size):
    for _ in range(count):
        kind, words, sources = struct.unpack_from("!BBH", data, at)
        at += 4 + address_size * (1 + sources) + 4 * words
        if kind in (TO_EXCLUDE, ALLOW) or (kind == TO_INCLUDE and sources):
            Counts.joins += 1
        elif kind in (TO_INCLUDE, BLOCK):
            Counts.leaves += 1


def take_igmp(data):
    if data[0] == 0x22:
        count_records(data, 8, struct.unpack_from("!H", data, 6)[0], 4)
    Counts.joins += data[0] in (0x12, 0x16)
    Counts.leaves += data[0] == 0x17


def take_icmp6(data):
    if data[0] == 143:
        count_records(data, 8, struct.unpack_from("!H", data, 6)[0], 16)
    Counts.joins += data[0] == 131
    Counts.leaves += data[0] == 132


def take_packet(data):
    kind = struct.unpack_from("!H", data, 12)[0]
    if kind == 0x0800 and data[23] == socket.IPPROTO_IGMP:
        take_igmp(data[14 + 4 * (data[14] & 15):])
    if kind == 0x86DD and data[20] == 0 and data[54] == socket.IPPROTO_ICMPV6:  # behind an option
        take_icmp6(data[54 + 8 * (data[55] + 1):])


def stop(*_):
    receiver.setblocking(False)
    try:
        while True:
            take_packet(receiver.recv(65536))
    except BlockingIOError:
        statistics = receiver.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        lost = struct.unpack("II", statistics)[1]
        if lost:
            print(f"joins ? leaves ?, because {lost} packets found no room", flush=True)
        else:
            print(f"joins {Counts.joins} leaves {Counts.leaves}", flush=True)
    sys.exit(0)


receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
try:
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
except PermissionError:  # without the privilege, as much as everybody may have
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
receiver.bind((sys.argv[1], 0))
signal.signal(signal.SIGTERM, stop)
print("listening", flush=True)
while True:
    take_packet(receiver.recv(65536))
