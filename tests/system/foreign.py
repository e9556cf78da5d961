"""Changes the multicast tables of another process, as any program with CAP_NET_ADMIN can.

foreign.py delete SOURCE GROUP | add SOURCE GROUP VIF | flush-vifs"""
import socket
import struct
import sys

DEL_MFC, ADD_MFC, FLUSH = 205, 204, 212
FLUSH_VIFS = 4 | 8


def change(option, value):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as table:
        table.setsockopt(socket.IPPROTO_IP, option, value)


def entry(source, group, vif=0):
    return (socket.inet_aton(source) + socket.inet_aton(group) +
            struct.pack("@H32sxxIIIi", vif, b"", 0, 0, 0, 0))


def main(word, *arguments):
    if word == "delete":
        change(DEL_MFC, entry(*arguments))
    elif word == "add":
        change(ADD_MFC, entry(arguments[0], arguments[1], int(arguments[2])))
    else:
        change(FLUSH, struct.pack("i", FLUSH_VIFS))


main(*sys.argv[1:])
