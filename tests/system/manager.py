"""A service manager of few lines, for what netbrokerd does under a large one (sd_notify(3)):

    manager.py NOTES SOCKET COMMAND...

It listens on SOCKET for the command, starts it, writes each line that it is told to the file
NOTES, keeps the descriptors that it is given, and starts the command again with them when it
dies. SIGTERM is passed on; then it ends with the command's status."""
import fcntl
import os
import signal
import socket
import sys

NOTIFY = "/run/netbroker-test/notify"
FIRST = 3      # the first descriptor that a service inherits
OUT_OF_WAY = 500


class Manager:
    def __init__(self, notes, path, command):
        self.notes = open(notes, "a", buffering=1)
        self.command = command
        self.stopping = False
        self.child = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(100)
        self.kept = {"netbrokerd.socket": self.listener.fileno()}
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
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, OUT_OF_WAY) for fd in self.kept.values()]
        for number, fd in enumerate(moved, FIRST):
            os.dup2(fd, number)
        os.closerange(FIRST + len(moved), 1000)
        os.execvpe(self.command[0], self.command,
                   dict(os.environ, NOTIFY_SOCKET=NOTIFY, LISTEN_PID=str(os.getpid()),
                        LISTEN_FDS=str(len(moved)), LISTEN_FDNAMES=":".join(self.kept)))

    def take_note(self):
        try:
            text, fds, _, _ = socket.recv_fds(self.notify, 4096, 8)
        except TimeoutError:
            return
        lines = text.decode().splitlines()
        values = dict(line.split("=", 1) for line in lines)
        name = values.get("FDNAME")
        if "FDSTORE" in values:
            self.kept[name] = fds[0]
        if "FDSTOREREMOVE" in values:
            os.close(self.kept.pop(name))
        self.notes.write(" ".join(lines) + "\n")

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


manager = Manager(sys.argv[1], sys.argv[2], sys.argv[3:])
signal.signal(signal.SIGTERM, manager.stop)
sys.exit(manager.run())
