"""A guest at the end of a tap: an ordinary program with a descriptor of the service's.

    tap.py guest ADDRESS [FIELD=VALUE...]   answers ARP and pings for the address, until it ends or
                                            the tap is closed
    tap.py station ADDRESS [FIELD=VALUE...] the same on an uplink, until its lifeline is cut
    tap.py storm COUNT                      opens and closes as many taps, one after the other
"""

import array
import errno
import json
import os
import select
import socket
import struct
import sys
import time


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["NETBROKER_SOCKET"])

    def ask(self, action, **payload):
        """Returns the reply, and the descriptors that came with it."""
        self.socket.sendall(json.dumps({"action": action, "payload": payload}).encode())
        text, fds = b"", array.array("i")
        while not text.endswith(b"\n"):
            part, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(16))
            if not part:
                sys.exit("the service ended the connection")
            text += part
            for _, kind, data in ancillary:
                if kind == socket.SCM_RIGHTS:
                    fds.frombytes(data)
        return json.loads(text), list(fds)


def open_tap(client, **payload):
    reply, fds = client.ask("OPEN_TAP", **payload)
    if reply["status"] != "success":
        sys.exit(f"{reply['code']}: {reply['message']}")
    return reply["payload"], fds[0] if fds else None


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


MAC = bytes.fromhex("020000000002")


def answer(frame, address, mac=MAC):
    """The guest's answer to a frame of the host's, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == address:
        return (frame[6:12] + mac + frame[12:20] + b"\0\2" + mac + address + frame[22:32])
    if kind == b"\x08\0" and frame[23] == 1 and frame[34] == 8 and frame[30:34] == address:
        end = 14 + struct.unpack("!H", frame[16:18])[0]
        echo = b"\0\0\0\0" + frame[38:end]
        if len(echo) % 2:
            echo += b"\0"
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4 : end - 34]
        header = bytearray(frame[14:34])
        header[12:16], header[16:20] = frame[30:34], frame[26:30]
        return frame[6:12] + mac + kind + bytes(header) + echo
    return None


def payload_of(fields):
    payload = {}
    for field in fields:
        name, value = field.split("=", 1)
        payload[name] = json.loads(value)
    return payload


def station(address, *fields):
    """The kernel tells of the end of a macvtap by nothing but the lifeline."""
    client = Client()
    reply, fds = client.ask("OPEN_TAP", **payload_of(fields))
    if reply["status"] != "success":
        sys.exit(f"{reply['code']}: {reply['message']}")
    client.socket.close()
    tap, names = reply["payload"], reply["fds"]
    fd, lifeline = fds[names.index("tap")], fds[names.index("lifeline")]
    print(tap["name"], tap["mac"], flush=True)
    address, mac = socket.inet_aton(address), bytes.fromhex(tap["mac"].replace(":", ""))
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(lifeline, 0)
    while True:
        ready = dict(poll.poll())
        if ready.get(lifeline, 0) & select.POLLERR:
            sys.exit("closed: the lifeline is cut")
        try:
            frame = answer(os.read(fd, 65536), address, mac)
            if frame:
                os.write(fd, frame)
        except BlockingIOError:
            pass


def guest(address, *fields):
    payload = payload_of(fields)
    client = Client()
    tap, fd = open_tap(client, **payload)
    client.socket.close()  # the tap needs it no longer
    print(tap["name"], tap["mac"], flush=True)
    address = socket.inet_aton(address)
    while True:
        select.select([fd], [], [])
        try:
            reply = answer(os.read(fd, 65536), address)
            if reply:
                os.write(fd, reply)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                continue
            sys.exit(f"closed: {errno.errorcode[error.errno]}")


def storm(count):
    """Faster than the kernel deletes them: then the service waits before it opens another."""
    client, left, refusals = Client(), int(count), 0
    begin = time.monotonic()
    while left > 0:
        reply, fds = client.ask("OPEN_TAP")
        if reply["status"] == "success":
            os.close(fds[0])
            left -= 1
        elif reply["code"] == "limit":
            refusals += 1
            time.sleep(0.02)
        else:
            sys.exit(f"{reply['code']}: {reply['message']}")
    rate = int(count) / (time.monotonic() - begin)
    print(f"{rate:.0f} a second; {refusals} times the share was used up")


if __name__ == "__main__":
    {"guest": guest, "station": station, "storm": storm}[sys.argv[1]](*sys.argv[2:])
