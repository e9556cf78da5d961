"""Broker, keeper and clients are killed or stopped at random, while some capture and others send.

    frame_kills.py run SEED SECONDS        kills for so long, and ends where a promise is broken

Each frame says which command's it is, and its number there. So each that comes at the other end can
be compared with the one that was put: it is whole, and behind those before it. What a command tells
as sent has come. A capture that is open goes on, whoever else is killed, as long as its command
lives; and in its file are such frames as well."""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from tap_kills import NETBROKER, WORK, ask, descriptors, fail, start, status, within

SENDER, RECEIVER = "p0", "p1"
HEAD = bytes.fromhex("010ccd040001" + "020000000001" + "88b5")
BUFFER = 1 << 26  # of the socket that sees all
SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 33, 263, 6
SENDERS, CAPTURES = 4, 3  # at most
STEADY_SECONDS, STEADY_LOOKS = 1, 10


def frame(stream, number):
    length = 46 + (stream * 31 + number * 7) % 1400
    return HEAD + struct.pack("!II", stream, number) + bytes([(stream + number) % 251]) * (length - 8)


def write_file(path, stream, count):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for number in range(count):
            raw = frame(stream, number)
            file.write(struct.pack("<IIII", 0, 0, len(raw), len(raw)) + raw)


def read_file(path):
    data, at = open(path, "rb").read(), 24
    while at + 16 <= len(data):
        captured = struct.unpack_from("<I", data, at + 8)[0]
        if at + 16 + captured > len(data):
            return  # its command was killed while it wrote
        yield data[at + 16:at + 16 + captured]
        at += 16 + captured


class Seen:
    """What has come, of each command."""

    def __init__(self, where):
        self.where = where
        self.last, self.counts = {}, {}
        self.wrong = None

    def take(self, raw):
        if raw[:14] != HEAD:
            return
        stream, number = struct.unpack_from("!II", raw, 14)
        if raw != frame(stream, number):
            self.wrong = f"{self.where}: {raw.hex()} was never put"
        elif number <= self.last.get(stream, -1):
            self.wrong = f"{self.where}: frame {number} of {stream} behind {self.last[stream]}"
        self.last[stream] = number
        self.counts[stream] = self.counts.get(stream, 0) + 1

    def check(self):
        if self.wrong:
            fail(self.wrong)


class Wire(Seen):
    """Sees all that comes, in a thread of its own."""

    def __init__(self):
        super().__init__("the wire")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self.socket.bind((RECEIVER, 3))
        self.socket.settimeout(0.2)
        self.taken = 0
        self.ending = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending:
            try:
                raw, address = self.socket.recvfrom(70000)
            except TimeoutError:
                continue
            if address[2] != socket.PACKET_OUTGOING:
                self.take(raw)
            self.taken += 1

    def end(self):
        self.ending = True
        self.thread.join()
        dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self.socket.close()
        if dropped:
            fail(f"the test itself lost {dropped} frames")


class Sender:
    def __init__(self, stream, kind, wire):
        self.stream, self.wire = stream, wire
        words, self.count = kind
        self.path = f"{WORK}/files/stream-{stream}"
        write_file(self.path, stream, self.count)
        self.process = start("operator", NETBROKER, "replay", SENDER, self.path, "--json", *words,
                             name=f"sender-{stream}")

    KINDS = ((("--pps", "2000", "--catch-up"), 2000), (("--pps", "3000"), 2000),
             (("--topspeed",), 8000))

    def has_ended(self):
        return self.process.poll() is not None

    def end(self):
        """What it tells has come, and it tells of all its frames."""
        text, code = self.process.communicate()[0], self.process.returncode
        os.unlink(self.path)
        if code < 0 or not text.startswith(b"{") or b'"frames"' not in text:
            return
        told = json.loads(text)
        sent = told["sent"]
        within(f"what {self.stream} sent", lambda: self.wire.counts.get(self.stream, 0) < sent and
               f"{sent} are told, {self.wire.counts.get(self.stream, 0)} have come")
        if told["frames"] != self.count or (code == 0 and sent != self.count):
            fail(f"{self.stream} ended with {code} and tells {text}, of {self.count} frames")


class Capture:
    def __init__(self, number):
        self.name = f"capture-{number}"
        self.path = f"{WORK}/files/{self.name}"
        self.process = start("operator", NETBROKER, "capture", "-i", RECEIVER, "--pcap", "-w",
                             self.path, name=self.name)

    def has_ended(self):
        return self.process.poll() is not None

    def words(self):
        return open(f"{WORK}/{self.name}.err").read()

    def end(self):
        self.process.wait()
        if not os.path.exists(self.path):
            return
        seen = Seen(self.name)
        for raw in read_file(self.path):
            seen.take(raw)
        seen.check()
        os.unlink(self.path)


def open_are(kind):
    return sum(item["state"] == "open"
               for items in ask(f"SHOW_{kind}")["payload"].values() for item in items)


class Game:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.wire = Wire()
        self.senders, self.captures = [], []
        self.numbers = iter(range(1, 1 << 30))
        self.done = {}

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    # --- Acts ---

    def send(self):
        """One more, if there are not enough."""
        if len(self.senders) < SENDERS:
            self.senders.append(Sender(next(self.numbers), self.random.choice(Sender.KINDS), self.wire))

    def capture(self, meanwhile=None):
        """Who gets no answer has nothing, and says so."""
        if len(self.captures) == CAPTURES:
            return
        capture = Capture(next(self.numbers))
        if meanwhile:
            time.sleep(self.random.random() / 20)
            meanwhile()
        within("a capture", lambda: not capture.has_ended() and
               open_are("CAPTURE") <= len(self.captures) and "it is not open")
        if not capture.has_ended():
            self.captures.append(capture)
        elif not meanwhile:
            fail(f"{capture.name} is not opened: {capture.words()}")

    def capture_and_kill(self):
        self.capture(self.kill_service)

    def kill_service(self):
        half = self.random.choice(("broker", "broker", "keeper"))
        pid = status()[half]["pid"]
        os.kill(pid, signal.SIGKILL)
        within(f"the next {half}", lambda: status()[half]["pid"] == pid and "there is none")

    def end_client(self):
        those = self.random.choice((self.senders, self.captures))
        if those:
            client = those.pop(self.random.randrange(len(those)))
            client.process.send_signal(self.random.choice((signal.SIGKILL, signal.SIGTERM)))
            client.end()

    def stop_client(self):
        those = self.senders + self.captures
        if those:
            client = self.random.choice(those)
            client.process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.random() / 3)
            client.process.send_signal(signal.SIGCONT)

    # --- What must be ---

    def find_wrong(self):
        for capture in self.captures:
            if capture.has_ended():
                fail(f"{capture.name} has ended: {capture.words()}")
        captures, injectors = open_are("CAPTURE"), open_are("INJECT")
        if captures != len(self.captures):
            return f"{captures} captures are open, and {len(self.captures)} commands live"
        living = sum(not sender.has_ended() for sender in self.senders)
        return injectors > living and f"{injectors} injectors are open for {living} commands"

    def check(self, what):
        for sender in [sender for sender in self.senders if sender.has_ended()]:
            self.senders.remove(sender)
            sender.end()
        within(what, self.find_wrong)
        self.wire.check()

    def play(self, seconds, acts):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            act = self.random.choice(acts)
            act()
            self.count(act.__name__)
            self.check(f"after {act.__name__}")

    def end_all(self):
        for client in self.senders + self.captures:
            client.process.terminate()
            client.end()
        self.senders, self.captures = [], []
        self.check("at the end")
        leases = ask("LEASES")["payload"]["leases"]
        if leases:
            fail(f"leases are left: {leases}")

    def measure(self):
        """Descriptors and threads of the broker, when all has ended: threads of libuv's close what
        is left, in their time."""
        pid = status()["broker"]["pid"]
        looks = []

        def moves():
            looks.append((len(descriptors(pid)), len(os.listdir(f"/proc/{pid}/task"))))
            time.sleep(STEADY_SECONDS / STEADY_LOOKS)
            return len(set(looks[-STEADY_LOOKS:])) > 1 or len(looks) < STEADY_LOOKS

        within("descriptors and threads that stay", lambda: moves() and f"they were {looks}")
        return looks[-1]

    def find_leaks(self, seconds):
        """Now only clients end: the broker has what it had."""
        acts = (self.send, self.capture, self.end_client, self.stop_client)
        for kind in Sender.KINDS:  # threads that begin with the first one, and stay
            Sender(next(self.numbers), kind, self.wire).end()
        self.capture()
        self.end_all()
        within("ends of threads", lambda: status()["captures"]["sources"] and "there are sources")
        before = self.measure()
        self.play(seconds, acts)
        self.end_all()
        after = self.measure()
        if after != before:
            fail(f"{after} descriptors and threads of the broker, and {before} before")


def run(seed, seconds):
    game = Game(int(seed))
    game.play(float(seconds), (game.send, game.send, game.send, game.capture, game.capture_and_kill,
                               game.kill_service, game.end_client, game.stop_client))
    game.end_all()
    game.find_leaks(float(seconds) / 4)
    game.wire.end()
    print(json.dumps(game.done), "frames:", sum(game.wire.counts.values()))


if __name__ == "__main__":
    {"run": run}[sys.argv[1]](*sys.argv[2:])
