"""Broker, keeper and clients are killed at random, while several users hold taps.

    tap_kills.py run SEED SECONDS PID      kills for so long, and ends where a promise is broken;
                                           PID is the service manager
    tap_kills.py guest FDS NAME ADDRESS    a guest at a tap's descriptors: answers ARP and pings
    tap_kills.py station SOCKET ADDRESS    the same behind a link that serves u16le

What is wanted is known at each moment: a tap is there as long as its program lives, and a
persistent one until its lease ends. So after each kill interfaces, taps and leases must soon be the
wanted ones, with the names, numbers and addresses that they had; and all the time each guest is
pinged, of which no answer may be missing, whoever else is killed."""

import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import tap

WAIT = 60  # seconds, on a slow machine; nothing is measured
SLOTS = 6  # taps at most, each with a network of its own
SPARES = 2  # that the service has beside them
BRIDGE = "br0"
USERS = ("member", "operator", "stranger")
WORK = "/run/netbroker-test"
NETBROKER = WORK + "/build/client/netbroker"


def fail(text):
    sys.exit(f"FAILED: {text}")


def within(what, check):
    """check returns what is wrong, and nothing once all is right."""
    end = time.monotonic() + WAIT
    while True:
        wrong = check()
        if not wrong:
            return
        if time.monotonic() > end:
            fail(f"{what}: {wrong}")
        time.sleep(0.02)


# --- Guests ---------------------------------------------------------------------------------------


def answer_frames(read, write, address):
    address = socket.inet_aton(address)
    while True:
        frame = tap.answer(read(), address)
        if frame:
            write(frame)


def guest(fds, name, address):
    fds = [int(fd) for fd in fds.split(":")]
    print(name, flush=True)

    def read():
        while True:
            for fd in select.select(fds, [], [])[0]:
                try:
                    return os.read(fd, 65536)
                except BlockingIOError:
                    pass

    answer_frames(read, lambda frame: os.write(fds[-1], frame), address)


def station(path, address):
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    stream = link.makefile("rb")
    print("connected", flush=True)
    answer_frames(lambda: stream.read(struct.unpack("<H", stream.read(2))[0]),
                  lambda frame: link.sendall(struct.pack("<H", len(frame)) + frame), address)


# --- Pings ----------------------------------------------------------------------------------------


class Pings:
    """Some hundred a second, each of which must be answered. They begin with the first answer."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
        self.socket.connect((address, 0))
        self.socket.settimeout(0.01)
        self.missing = set()
        self.sent = 0
        self.ending = False
        self.first()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def first(self):
        end = time.monotonic() + WAIT
        while True:
            self.send()
            self.take()
            if len(self.missing) < self.sent:
                break
            if time.monotonic() > end:
                fail(f"no guest answers at {self.socket.getpeername()[0]}")
        self.missing.clear()
        self.sent = 1000  # what comes late of the first ones is none of the rest

    def send(self):
        number = self.sent & 0xFFFF
        self.socket.send(struct.pack("!BBHHH", 8, 0, 0, 0, number))
        self.missing.add(number)
        self.sent += 1

    def take(self):
        try:
            data = self.socket.recv(100)
        except TimeoutError:
            return
        self.missing.discard(struct.unpack("!H", data[6:8])[0])

    def run(self):
        while not self.ending:
            self.send()
            self.take()
            time.sleep(0.005)
        end = time.monotonic() + WAIT
        while self.missing and time.monotonic() < end:
            self.take()

    def end(self):
        """Returns how many were sent and how many had no answer."""
        self.ending = True
        self.thread.join()
        self.socket.close()
        return self.sent - 1000, len(self.missing)


# --- The service ----------------------------------------------------------------------------------


def ask(action, **payload):
    """Asks until somebody answers: who was killed is soon there again."""
    end = time.monotonic() + WAIT
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(os.environ["NETBROKER_SOCKET"])
            client.sendall(json.dumps({"action": action, "payload": payload}).encode())
            line = client.makefile().readline()
            if line:
                return json.loads(line)
        except OSError:
            pass
        finally:
            client.close()
        if time.monotonic() > end:
            fail(f"nobody answers {action}")
        time.sleep(0.02)


def status():
    return ask("STATUS")["payload"]


def devices():
    output = subprocess.run(["ip", "-json", "link", "show", "type", "tun"], check=True,
                            stdout=subprocess.PIPE).stdout
    return {link["ifname"]: (link["ifindex"], link["address"])
            for link in json.loads(output or "[]") if link}


def ports():
    output = subprocess.run(["ip", "-json", "-details", "link", "show", "master", BRIDGE], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return {link["ifname"]: link["linkinfo"]["info_slave_data"]["isolated"]
            for link in json.loads(output or "[]") if link}


def routes_of(name):
    output = subprocess.run(["ip", "-json", "route", "show", "dev", name], check=True,
                            stdout=subprocess.PIPE).stdout
    return {route["dst"] for route in json.loads(output)}


def make_bridge():
    subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", BRIDGE, "up"], check=True)


def listed():
    return {tap["name"]: (tap["ifindex"], tap["mac"], tap["uid"], tap["state"])
            for tap in ask("SHOW_TAP")["payload"]["taps"]}


def leased():
    return sorted((lease["what"], lease["uid"]) for lease in ask("LEASES")["payload"]["leases"])


def descendants(pid):
    try:
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    except FileNotFoundError:
        return []
    return [each for child in children for each in (int(child), *descendants(int(child)))]


def descriptors(pid):
    """What they lead to, in order."""
    found = []
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    except FileNotFoundError:
        pass
    return sorted(found)


# --- What holds taps ------------------------------------------------------------------------------


def start(user, *words, name):
    return subprocess.Popen(["setpriv", "--reuid", user, "--regid", user, "--init-groups", *words],
                            stdout=subprocess.PIPE, stderr=open(f"{WORK}/{name}.err", "w"))


class Holder:
    """One tap, in a slot. Its end may come before it is open: then nothing may be left of it."""

    def __init__(self, slot, user):
        self.slot, self.user = slot, user
        self.uid = 3001 + USERS.index(user)
        self.name = f"nb-s{slot}"
        self.host, self.guest = f"192.168.{slot}.1", f"192.168.{slot}.2"
        self.pings = None
        self.found = None  # number and address of the interface
        self.sent = 0

    def remember(self):
        self.found = devices().get(self.name)
        if not self.found:
            fail(f"{self.name} was opened, and there is no such interface")

    def leased(self):
        return self.name

    def stop_pings(self):
        if not self.pings:
            return
        sent, lost = self.pings.end()
        self.pings = None
        self.sent += sent
        if lost:
            fail(f"{lost} of {sent} pings to the guest of {self.name} had no answer")

    def check_alive(self):
        pass


class Exec(Holder):
    """netbroker tap exec: the command has the descriptor."""

    def begin(self):
        self.process = start(self.user, NETBROKER, "tap", "exec", self.name, "--hosts",
                             self.host + "/24", "--", "python3", WORK + "/build/tap_kills.py",
                             "guest", "{fd}", "{name}", self.guest, name=self.name)

    def is_open(self):
        """Waits until it is open, or has failed."""
        name = self.process.stdout.readline().decode().strip()
        if name:
            self.name = name
        else:
            self.process.wait()
        return name != ""

    def use(self):
        self.remember()
        self.pings = Pings(self.guest)

    def check_alive(self):
        if self.process.poll() is not None:
            fail(f"the program of {self.name} has ended: {open(f'{WORK}/{self.name}.err').read()}")

    def kill(self):
        self.stop_pings()
        self.abort()

    def abort(self):
        self.process.kill()
        self.process.wait()


class Spare(Exec):
    """The same of one that the service had in stock, and has named."""

    def begin(self):
        self.process = start(self.user, NETBROKER, "tap", "exec", "--", "python3",
                             WORK + "/build/tap_kills.py", "guest", "{fd}", "{name}", self.guest,
                             name=self.name)

    def use(self):
        self.remember()
        subprocess.run(["ip", "address", "add", self.host + "/24", "dev", self.name], check=True)
        self.pings = Pings(self.guest)


class Queues(Exec):
    """The same of one with two queues, and a route to what is behind the guest."""

    def begin(self):
        self.route = f"192.168.{self.slot + 100}.0/24"
        self.process = start(self.user, NETBROKER, "tap", "exec", self.name, "--queues", "2", "--hosts",
                             self.host + "/24", "--routes", self.route, "--", "python3",
                             WORK + "/build/tap_kills.py", "guest", "{fds}", "{name}", self.guest,
                             name=self.name)

    def check_alive(self):
        super().check_alive()
        if self.route not in routes_of(self.name):
            fail(f"{self.name} has not its route {self.route}")


class Port(Exec):
    """The same of a port of a bridge, behind which nobody pings it."""

    def begin(self):
        self.process = start(self.user, NETBROKER, "tap", "exec", self.name, "--bridge", BRIDGE,
                             "--isolated", "--", "python3", WORK + "/build/tap_kills.py", "guest",
                             "{fd}", "{name}", self.guest, name=self.name)

    def use(self):
        self.remember()

    def leased(self):
        return f"{self.name} of {BRIDGE}"


class Link(Exec):
    """netbroker link serve, with a client that comes and goes."""

    def begin(self):
        self.path = f"{WORK}/state/{self.name}-{self.user}.sock"
        self.process = start(self.user, NETBROKER, "--json", "link", "serve", self.name, "--hosts",
                             self.host + "/24", "--framing", "u16le", "--listen", self.path,
                             name=self.name)

    def is_open(self):
        for line in self.process.stdout:
            if b'"event":"ready"' in line:
                return True
        self.process.wait()
        return False

    def use(self):
        self.remember()
        self.begin_client()

    def begin_client(self):
        self.client = start(self.user, "python3", WORK + "/build/tap_kills.py", "station",
                            self.path, self.guest, name=self.name + ".client")
        self.client.stdout.readline()
        self.pings = Pings(self.guest)

    def end_client(self):
        self.stop_pings()
        self.client.kill()
        self.client.wait()

    def kill(self):
        self.end_client()
        self.abort()


class Persistent(Holder):
    """netbroker tap open --persistent: no program has it."""

    def begin(self):
        self.process = start(self.user, NETBROKER, "tap", "open", self.name, "--persistent",
                             name=self.name)

    def is_open(self):
        return self.process.wait() == 0

    def use(self):
        self.remember()

    def kill(self):
        self.stop_pings()
        # Whoever answers may be killed before it does. Then the tap may be closed already.
        for _ in range(3):
            done = subprocess.run([NETBROKER, "tap", "close", self.name], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
            if done.returncode == 0 or self.name not in listed():
                return
        fail(f"{self.name} cannot be closed")

    def abort(self):
        """Its lease may be there, which lasts."""
        self.process.wait()
        if self.name in listed():
            self.kill()


class Owned(Persistent):
    """netbroker tap create --owner, by the administrator, for a user."""

    def begin(self):
        self.process = start("root", NETBROKER, "tap", "create", self.name, "--owner", self.user,
                             "--queues", "2", "--hosts", self.host + "/24", name=self.name)


# --- Kills ----------------------------------------------------------------------------------------


class Game:
    def __init__(self, seed, manager):
        self.random = random.Random(seed)
        self.manager = manager
        self.holders = {}
        self.counts = {}
        self.pings = 0
        first = status()
        self.before = {half: descriptors(first[half]["pid"]) for half in ("broker", "keeper")}

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- Each returns what it killed ---

    def kill_broker(self):
        pid = status()["broker"]["pid"]
        os.kill(pid, signal.SIGKILL)
        within("the next broker", lambda: status()["broker"]["pid"] == pid and "there is none")

    def kill_keeper(self):
        pid = status()["keeper"]["pid"]
        os.kill(pid, signal.SIGKILL)
        within("the next keeper", lambda: status()["keeper"]["pid"] == pid and "there is none")

    def kill_any(self):
        """Also those beside the two, and those that have just begun and serve nobody yet."""
        for _ in range(self.random.randint(1, 4)):
            those = descendants(self.manager)
            if those:
                try:
                    os.kill(self.random.choice(those), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(self.random.random() / 20)

    def kill_service(self):
        self.random.choice((self.kill_broker, self.kill_keeper))()

    def move_bridge(self, meanwhile=None):
        """The bridge is made anew, or a port taken out of it by somebody else."""
        port = self.pick(Port)
        if port and self.random.random() < 0.5:
            subprocess.run(["ip", "link", "set", port.name, "nomaster"], check=True)
        else:
            subprocess.run(["ip", "link", "delete", BRIDGE], check=True)
            time.sleep(self.random.random() / 50)
            make_bridge()
        if meanwhile:
            meanwhile()

    def pick(self, kind=Holder):
        those = [holder for holder in self.holders.values() if isinstance(holder, kind)]
        return self.random.choice(those) if those else None

    def kill_holder(self, meanwhile=None):
        holder = self.pick()
        if not holder:
            return
        holder.stop_pings()
        thread = threading.Thread(target=holder.kill)
        thread.start()
        if meanwhile:
            meanwhile()
        thread.join()
        self.end(holder)

    def end(self, holder):
        self.pings += holder.sent
        self.holders.pop(holder.slot, None)

    def new_holder(self):
        free = [slot for slot in range(SLOTS) if slot not in self.holders]
        if not free:
            return None
        kind = self.random.choice((Exec, Spare, Spare, Link, Link, Persistent, Owned, Queues,
                                   Port, Port))
        return kind(self.random.choice(free), self.random.choice(USERS))

    def open_one(self, meanwhile=None):
        """Who gets no answer has nothing, or, where it lasts, a lease to close."""
        holder = self.new_holder()
        if not holder:
            return
        holder.begin()
        if meanwhile:
            time.sleep(self.random.random() / 20)
            meanwhile()
        if holder.is_open():
            self.holders[holder.slot] = holder
            holder.use()
        elif meanwhile:
            self.count("opening ended")
            holder.abort()
        else:
            fail(f"{holder.name} is not opened: {open(f'{WORK}/{holder.name}.err').read()}")

    def abort_one(self):
        """The client is killed while it opens a tap."""
        holder = self.new_holder()
        if not holder or isinstance(holder, Persistent):
            return
        holder.begin()
        time.sleep(self.random.random() / 20)
        holder.abort()

    def kill_client(self):
        link = self.pick(Link)
        if link:
            link.end_client()
            link.begin_client()

    # --- What must be ---

    def find_wrong(self):
        wanted = {h.name: h.found for h in self.holders.values()}
        taps = {h.name: (*h.found, h.uid, "open") for h in self.holders.values()}
        leases = sorted((h.leased(), h.uid) for h in self.holders.values())
        for what, expected, look in (("taps", taps, listed), ("leases", leases, leased)):
            seen = look()
            if seen != expected:
                return f"{what}: expected {expected}, saw {seen}"
        expected = {h.name: True for h in self.holders.values() if isinstance(h, Port)}
        seen = {name: isolated for name, isolated in ports().items() if name in wanted}
        if seen != expected:
            return f"ports and whether they are isolated: expected {expected}, saw {seen}"
        seen, totals = devices(), status()["taps"]
        beside = set(seen) - set(wanted)
        if len(beside) != totals["spares"] or len(beside) > SPARES:
            return f"interfaces: {beside} are nobody's, and {totals['spares']} are spares"
        if {name: seen[name] for name in set(seen) - beside} != wanted:
            return f"interfaces: expected {wanted}, saw {seen}"
        return totals["closing"] and f"{totals['closing']} are being closed"

    def check(self, what):
        for holder in self.holders.values():
            holder.check_alive()
        within(what, self.find_wrong)

    def find_leaks(self):
        now = status()
        for half, before in self.before.items():
            is_now = descriptors(now[half]["pid"])
            if len(is_now) > len(before) + SPARES:
                return f"the {half} had the descriptors {before}, and has {is_now}"
        return None

    def play(self, seconds):
        moves = {
            "open": (3, self.open_one),
            "open, broker or keeper killed": (2, lambda: self.open_one(self.kill_service)),
            "client killed while it opens": (1, self.abort_one),
            "broker killed": (2, self.kill_broker),
            "keeper killed": (2, self.kill_keeper),
            "holder killed": (1, self.kill_holder),
            "holder and broker or keeper killed": (1, lambda: self.kill_holder(self.kill_service)),
            "client of a link killed": (1, self.kill_client),
            "bridge made anew, or port taken out": (2, self.move_bridge),
            "bridge, broker or keeper killed": (1, lambda: self.move_bridge(self.kill_service)),
            "bridge, and any killed": (1, lambda: self.move_bridge(self.kill_any)),
            "any of the service's processes killed, some times": (2, self.kill_any),
            "the same while one opens": (1, lambda: self.open_one(self.kill_any)),
            "the same while a holder is killed": (1, lambda: self.kill_holder(self.kill_any)),
        }
        names = [name for name, (weight, _) in moves.items() for _ in range(weight)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = self.random.choice(names)
            self.count(name)
            moves[name][1]()
            self.check(name)

    def finish(self):
        for holder in list(self.holders.values()):
            holder.kill()
            self.end(holder)
        self.check("the end")
        within("descriptors", self.find_leaks)


def run(seed, seconds, manager):
    make_bridge()
    game = Game(int(seed), int(manager))
    try:
        game.play(float(seconds))
        game.finish()
        for what, count in sorted(game.counts.items()):
            print(f"{count:5} {what}")
        print(f"{game.pings} pings were answered, each of them.")
    finally:
        for holder in game.holders.values():
            if holder.pings:
                holder.pings.end()


if __name__ == "__main__":
    {"run": run, "guest": guest, "station": station}[sys.argv[1]](*sys.argv[2:])
