"""Changes the multicast tables of another process, as any program with CAP_NET_ADMIN can.

foreign.py delete SOURCE GROUP | add SOURCE GROUP VIF | netlink-delete SOURCE GROUP
    | flush | flush-vifs | fight SOURCE GROUP SECONDS | flood SOURCE GROUP SECONDS

fight deletes as fast as it can, flood adds and deletes."""
import socket
import struct
import sys
import time

ADD_MFC, DEL_MFC, FLUSH = 204, 205, 212
FLUSH_MFC, FLUSH_VIFS = 1 | 2, 4 | 8
RTM_DELROUTE, RTNL_FAMILY_IPMR, RTN_MULTICAST, RTPROT_STATIC = 25, 128, 5, 4
RTA_DST, RTA_SRC, RTA_TABLE, TABLE = 1, 2, 15, 253


def open_table(group="239.0.0.0"):
    if ":" in group:
        return socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)


def change(table, option, value):
    """Nothing is wrong with deleting what is not there."""
    level = socket.IPPROTO_IPV6 if table.family == socket.AF_INET6 else socket.IPPROTO_IP
    try:
        table.setsockopt(level, option, value)
    except OSError:
        pass


def entry(source, group, vif=0):
    if ":" in group:
        names = (struct.pack("HHI16sI", socket.AF_INET6, 0, 0,
                             socket.inet_pton(socket.AF_INET6, name), 0)
                 for name in (source, group))
        return b"".join(names) + struct.pack("H2x32s", vif, b"")
    return (socket.inet_aton(source) + socket.inet_aton(group) +
            struct.pack("@H32sxxIIIi", vif, b"", 0, 0, 0, 0))


def netlink_delete(source, group):
    def attribute(kind, value):
        return struct.pack("HH", 4 + len(value), kind) + value

    body = (struct.pack("BBBBBBBBI", RTNL_FAMILY_IPMR, 32, 32, 0, 0, RTPROT_STATIC, 0,
                        RTN_MULTICAST, 0) +
            attribute(RTA_SRC, socket.inet_aton(source)) +
            attribute(RTA_DST, socket.inet_aton(group)) +
            attribute(RTA_TABLE, struct.pack("I", TABLE)))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.send(struct.pack("IHHII", 16 + len(body), RTM_DELROUTE, 1 | 4, 1, 0) + body)
        error = struct.unpack_from("i", kernel.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "RTM_DELROUTE")


def go_on(source, group, seconds, add):
    end = time.monotonic() + float(seconds)
    with open_table(group) as table:
        while time.monotonic() < end:
            if add:
                change(table, ADD_MFC, entry(source, group))
            change(table, DEL_MFC, entry(source, group))


def main(word, *arguments):
    if word == "netlink-delete":
        netlink_delete(*arguments)
    elif word in ("fight", "flood"):
        go_on(*arguments, add=word == "flood")
    else:
        with open_table(*arguments[1:2]) as table:
            if word == "delete":
                change(table, DEL_MFC, entry(*arguments))
            elif word == "add":
                change(table, ADD_MFC, entry(arguments[0], arguments[1], int(arguments[2])))
            else:
                change(table, FLUSH,
                       struct.pack("i", FLUSH_MFC if word == "flush" else FLUSH_VIFS))


main(*sys.argv[1:])
