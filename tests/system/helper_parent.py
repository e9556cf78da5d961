"""Plays QEMU, or libvirt, at its bridge helper.

    helper_parent.py directly|shell HELPER [ARGUMENT...]

It starts the helper as QEMU does, with a socket that the helper inherits (net_bridge_run_helper of QEMU's
net/tap.c): by itself with all arguments, or by sh -c where it has arguments of its own. It prints the name of
the tap, whether a virtio_net_hdr is before its frames, and the helper's exit status; "none" where no
descriptor came. Then it holds the tap until its standard input ends.
"""
import fcntl
import os
import socket
import struct
import sys

TUNGETIFF, IFF_VNET_HDR = 0x800454D2, 0x4000


def run(way, words, fd):
    if os.fork():
        return
    for other in range(3, 64):
        if other != fd:
            try:
                os.close(other)
            except OSError:
                pass
    os.set_inheritable(fd, True)
    added = ["--use-vnet", f"--fd={fd}"]
    if way == "directly":
        os.execv(words[0], [*words[:1], *added, *words[1:]])
    os.execv("/bin/sh", ["sh", "-c", " ".join(words + added)])


def main(way, *words):
    ours, theirs = socket.socketpair()
    run(way, list(words), theirs.fileno())
    theirs.close()
    message, fds, _, _ = socket.recv_fds(ours, 1, 1)
    status = os.waitstatus_to_exitcode(os.wait()[1])
    if not fds:
        print("none", status, flush=True)
        return status == 0
    ifreq = fcntl.ioctl(fds[0], TUNGETIFF, struct.pack("16sH22x", b"", 0))
    flags = struct.unpack("H", ifreq[16:18])[0]
    print(ifreq[:16].rstrip(b"\0").decode(), "vnet" if flags & IFF_VNET_HDR else "plain", status,
          "right" if message == b"\0" else message, flush=True)
    sys.stdin.read()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
