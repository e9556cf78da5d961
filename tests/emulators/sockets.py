"""Runs an emulator that inherits a connected socket as its descriptor 3.

    sockets.py connect PATH COMMAND...              a stream, connected to this path
    sockets.py pair KIND RELAY... -- COMMAND...     seqpacket or dgram; the relay has the other end,
                                                    as its descriptor 3, and ends behind the command
"""
import os
import socket
import subprocess
import sys

KINDS = {"seqpacket": socket.SOCK_SEQPACKET, "dgram": socket.SOCK_DGRAM}


def inherit(end):
    os.dup2(end.fileno(), 3)
    os.set_inheritable(3, True)  # also where it was 3 before


def start(command, end):
    return subprocess.Popen(command, pass_fds=[3], preexec_fn=lambda: inherit(end))


def connect(path, *command):
    end = socket.socket(socket.AF_UNIX)
    end.connect(path)
    inherit(end)
    os.execvp(command[0], command)


def pair(kind, *words):
    border = words.index("--")
    ours, theirs = socket.socketpair(socket.AF_UNIX, KINDS[kind])
    relay = start(words[:border], ours)
    emulator = start(words[border + 1 :], theirs)
    ours.close()
    theirs.close()
    status = emulator.wait()
    if kind == "dgram":
        relay.terminate()  # nothing tells it that the other end is closed
    sys.exit(status or relay.wait())


{"connect": connect, "pair": pair}[sys.argv[1]](*sys.argv[2:])
