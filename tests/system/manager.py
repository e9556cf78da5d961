"""A service manager of few lines, for what netbrokerd does under a large one (sd_notify(3)):

    manager.py NOTES SOCKET COMMAND...

It listens on SOCKET for the command, starts it, writes each line that it is told to the file
NOTES, keeps the descriptors that it is given, also several of one name, and starts the command
again with them when it dies. SIGTERM is passed on; then it ends with the command's status."""
import fcntl
import os
import resource
import signal
import socket
import sys

NOTIFY = "/run/netbroker-test/notify"
FIRST = 3      # the first descriptor that a service inherits
OUT_OF_WAY = 2000
LAST = 4000


class Manager:
    def __init__(self, notes, path, command):
        self.notes = open(notes, "a", buffering=1)
        self.command = command
        self.stopping = False
        self.child = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(100)
        self.kept = [("netbrokerd.socket", self.listener.fileno())]
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(NOTIFY)
        os.chmod(NOTIFY, 0o666)
        self.notify.settimeout(0.02)

    def start(self):
        self.child = os.fork()
        if self.child == 0:
            self.become_command()

    def become_command(self):
        # First out of the way, so that none overwrites another.
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, OUT_OF_WAY) for _, fd in self.kept]
        for number, fd in enumerate(moved, FIRST):
            os.dup2(fd, number)
        os.closerange(FIRST + len(moved), LAST)
        os.execvpe(self.command[0], self.command,
                   dict(os.environ, NOTIFY_SOCKET=NOTIFY, LISTEN_PID=str(os.getpid()),
                        LISTEN_FDS=str(len(moved)),
                        LISTEN_FDNAMES=":".join(name for name, _ in self.kept)))

    def take_note(self):
        try:
            text, fds, _, _ = socket.recv_fds(self.notify, 4096, 8)
        except TimeoutError:
            return
        lines = text.decode().splitlines()
        values = dict(line.split("=", 1) for line in lines)
        name = values.get("FDNAME")
        if "FDSTORE" in values:
            self.keep(name, fds[0])
        if "FDSTOREREMOVE" in values:
            self.remove(name)
        self.notes.write(" ".join(lines) + "\n")

    def keep(self, name, fd):
        if any(kept == name and os.path.sameopenfile(other, fd) for kept, other in self.kept):
            os.close(fd)
        else:
            self.kept.append((name, fd))

    def remove(self, name):
        for kept, fd in self.kept:
            if kept == name:
                os.close(fd)
        self.kept = [entry for entry in self.kept if entry[0] != name]

    def run(self):
        self.start()
        while True:
            self.take_note()
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid and self.stopping:
                return os.waitstatus_to_exitcode(status)
            if pid:
                self.notes.write(f"died {os.waitstatus_to_exitcode(status)}\n")
                self.start()

    def stop(self, *_):
        self.stopping = True
        os.kill(self.child, signal.SIGTERM)


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
manager = Manager(sys.argv[1], sys.argv[2], sys.argv[3:])
signal.signal(signal.SIGTERM, manager.stop)
sys.exit(manager.run())
