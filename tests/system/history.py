"""A random history of requests by several users, in which the service is killed again and again;
each time, the next one must hold what history_model.py says.

    history.py run MODEL [--requests N] [--kills N] [--victim broker|keeper] [--flights PERCENT]
                         [--files FILE]
    history.py check MODEL      the service was started again: what a model knows is there
    history.py policy           prints the policy's file

The model is left in the file MODEL; where the file is there it goes on from it. The seed of chance
is printed; NB_SEED gives it."""
import argparse
import collections
import json
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import time

from history_model import (ANY, DEFAULT_TABLES, INTERFACES, NOBODY, PLUGGED, POLICY, ROOT, Model,
                           plain, policy_text, prefix, read_join)
from protocol import SOCKET, kernel_routes

HEALTHY_SECONDS = 1.05  # a broker that lives shorter is started again only after a pause
QUICK_KILLS = 3         # of those, before one may live so long: 0, 50, 100 ms
SETTLE_SECONDS = 5      # within which the kernel has the joins


class Wrong(Exception):
    pass


# --- The service -------------------------------------------------------------------------------


class Connection:
    """Of a user: the kernel tells the service who had connected. It may break at any time."""

    def __init__(self, uid, timeout=20):
        self.lines, self.rest = collections.deque(), b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        os.setegid(uid)
        os.seteuid(uid)
        try:
            self.socket.connect(SOCKET)
        finally:
            os.seteuid(0)
            os.setegid(0)

    def send(self, *requests):
        text = "".join(json.dumps({"action": action, "payload": payload})
                       for action, payload in requests)
        try:
            self.socket.sendall(text.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the replies that are there can be read all the same

    def receive(self):
        """The next reply; None: the connection is broken."""
        while not self.lines:
            try:
                more = self.socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            *lines, self.rest = (self.rest + more).split(b"\n")
            self.lines.extend(lines)
        return json.loads(self.lines.popleft())

    def receive_all(self):
        replies = []
        while (reply := self.receive()) is not None:
            replies.append(reply)
        return replies

    def close(self):
        self.socket.close()


class Service:
    def __init__(self, victim):
        self.victim = victim
        self.connections = {}  # of each user, the one that has sessions' leases
        self.quick = 0
        self.begin()

    def begin(self):
        status = self.ask(ROOT, "STATUS")["payload"]
        self.broker, self.keeper = status["broker"]["pid"], status["keeper"]["pid"]
        self.restarts = status["broker_restarts"]
        self.began = time.monotonic()

    def connection(self, uid):
        if uid not in self.connections:
            self.connections[uid] = Connection(uid)
        return self.connections[uid]

    def ask(self, uid, action, **payload):
        connection = self.connection(uid)
        connection.send((action, payload))
        reply = connection.receive()
        if reply is None:
            raise Wrong(f"the service hung up on {action} {payload} of {uid}")
        return reply

    def rest(self):
        """Waits until the next broker is started without a pause, where too many died young."""
        age = time.monotonic() - self.began
        if self.quick >= QUICK_KILLS and age < HEALTHY_SECONDS:
            time.sleep(HEALTHY_SECONDS - age)
        self.quick = self.quick + 1 if time.monotonic() - self.began < HEALTHY_SECONDS else 0

    def kill(self):
        """Returns when the victim is gone: its connections are broken."""
        os.kill(self.broker if self.victim == "broker" else self.keeper, signal.SIGKILL)
        self.connection(ROOT).receive_all()

    def kill_young(self):
        """Kills the next one while it starts."""
        end = time.monotonic() + 5
        while not (pids := self.starting()):
            if time.monotonic() > end:
                raise Wrong("no other broker is started")
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.05))
        try:
            os.kill(pids[0], signal.SIGKILL)
        except ProcessLookupError:
            pass

    def starting(self):
        with open(f"/proc/{self.keeper}/task/{self.keeper}/children") as file:
            return [int(pid) for pid in file.read().split() if int(pid) != self.broker]

    def end_connections(self):
        """All are broken; the replies that each had."""
        replies = {uid: connection.receive_all() for uid, connection in self.connections.items()}
        for connection in self.connections.values():
            connection.close()
        self.connections = {}
        return replies


# --- What is seen ------------------------------------------------------------------------------


def lines_of(path):
    try:
        with open(path) as file:
            return [line.split() for line in file]
    except FileNotFoundError:
        return []


def address(version, digits):
    return plain(str((prefix(ANY[version]).network_address + int(digits, 16))))


def swapped(digits):
    return bytes.fromhex(digits)[::-1].hex()


def kernel_memberships():
    """As Model.memberships() has them, of the groups that are joined in a history."""
    groups, interface = set(), ""
    for words in lines_of("/proc/net/igmp")[1:]:
        if words[0].isdigit():
            interface = words[1]
        else:
            groups.add((interface, address(4, swapped(words[0]))))
    groups |= {(words[1], address(6, words[2])) for words in lines_of("/proc/net/igmp6")}
    for version, path in (4, "/proc/net/mcfilter"), (6, "/proc/net/mcfilter6"):
        groups |= {(words[1], address(version, words[2]), address(version, words[3]))
                   for words in lines_of(path) if words[0].isdigit() and int(words[4])}
    return {entry for entry in groups
            if entry[0] in {*INTERFACES, PLUGGED} and
            entry[1].startswith(("239.", "232.", "ff0e:", "ff3e:"))}


def shown_route(rule):
    family = int(rule["family"][3])
    source, group = plain(rule["source"]), plain(rule["group"])
    single = all("/" not in text and text not in ANY.values() for text in (source, group))
    key = family, rule["table"], source, group, None if single else rule["iif"]
    return key, {"iif": rule["iif"],
                 "oifs": dict(zip(rule["oifs"], rule.get("ttls", [1] * len(rule["oifs"])))),
                 "idle": rule.get("idle"), "state": rule["state"], "owners": rule["owners"]}


class View:
    """What the service says, at one time."""

    def __init__(self, service):
        self.leases = service.ask(ROOT, "LEASES")["payload"]["leases"]
        rules = service.ask(ROOT, "SHOW_MFC")["payload"]["mfc_rules"]
        self.routes = dict(shown_route(rule) for rule in rules if rule["origin"] != "learned")
        self.learned = [rule for rule in rules if rule["origin"] == "learned"]
        self.joins = {read_join(join): {"state": join["state"], "owners": join["owners"]}
                      for join in service.ask(ROOT, "SHOW_JOIN")["payload"]["joins"]}


def differences(what, expected, seen):
    return [f"{what} {key}: expected {expected.get(key)}, saw {seen.get(key)}"
            for key in sorted({*expected, *seen}, key=str)
            if expected.get(key) != seen.get(key)]


def compare_leases(model, view, known_ids):
    wanted = model.leases()
    seen = collections.defaultdict(list)
    for lease in view.leases:
        key = lease["kind"], lease["what"], lease.get("uid", NOBODY), lease["origin"]
        seen[key].append(lease)
    wrong = [f"lease {key}: expected {1 if key in wanted else 0}, saw {seen.get(key, [])}"
             for key in sorted({*wanted, *seen}, key=str)
             if (key in wanted) != (len(seen.get(key, [])) == 1)]
    for key in set(wanted) & set(seen):
        lease, (shown, *_) = wanted[key], seen[key]
        if lease.id is None and shown["lease"] in known_ids and lease.uid is not NOBODY:
            wrong.append(f"lease {key}: a new one, with the id {shown['lease']} of an older one")
        elif lease.id is not None and (lease.id, lease.since) != (shown["lease"], shown["since"]):
            wrong.append(f"lease {key}: expected {lease.id} since {lease.since}, saw {shown}")
    return wrong


def compare_learned(model, view):
    """No packet asks for routes here. But what a broker that died left in the kernel, and nobody
    wants, may be taken for the learned route of a range, and is made what that would be."""
    return [f"learned: {rule} is of no range" for rule in view.learned
            if not model.is_of_range(rule)]


def compare(model, view, known_ids):
    """What the service says: a list of what is wrong."""
    return (compare_leases(model, view, known_ids) +
            differences("route", model.shown_routes(), view.routes) +
            differences("join", model.shown_joins(), view.joins) + compare_learned(model, view))


def is_settling(line):
    """What may be wrong for a moment only: a join that the kernel has not yet."""
    return line.startswith("join ") and "None" not in line


def learned_entry(rule, interfaces):
    oifs = zip(rule["oifs"], rule.get("ttls", [1] * len(rule["oifs"])))
    return ((rule["family"], rule["table"], rule["source"], rule["group"]),
            (rule["iif"], {name: ttl for name, ttl in oifs if name in interfaces}))


def compare_kernel(model, view):
    memberships, seen = model.memberships(), kernel_memberships()
    wanted = model.kernel_routes()
    wanted.update(learned_entry(rule, model.interfaces) for rule in view.learned)
    return (differences("kernel's route", wanted,
                        {**kernel_routes("ipv4"), **kernel_routes("ipv6")}) +
            [f"membership {entry}: expected {entry in memberships}, saw {entry in seen}"
             for entry in sorted(memberships ^ seen)])


# --- Chance ------------------------------------------------------------------------------------

SOURCES = {4: ["10.1.0.2", "10.1.0.3", "10.1.0.0/24"],
           6: ["fd00:1::2", "fd00:1::3", "fd00:1::/64"]}
GROUPS = {4: [f"239.1.0.{i}" for i in range(12)] + ["239.1.0.0/29", "239.2.0.0/16", "239.2.1.1"],
          6: [f"ff0e::{i}" for i in range(1, 8)] + ["ff0e::/125", "ff0e:1::/64"]}
JOINED = {4: [f"239.1.0.{i}" for i in range(6)] + ["239.1.0.4/30", "239.3.0.0/29"],
          6: [f"ff0e::{i}" for i in range(1, 5)] + ["ff0e::4/126"]}
JOINED_FROM = {4: (["232.1.0.1", "232.1.0.2/31"], ["10.1.0.2", "10.1.0.2/31"]),
               6: (["ff3e::1", "ff3e::2/127"], ["fd00:1::2", "fd00:1::2/127"])}
IIFS = ["r0", "r0", "r0", "r1", "late0", "r+"]
OIFS = [["r1"], ["r2"], ["r1", "r2"], ["r2", "late0"], ["r+"], ["r1", "late0"]]


def chance(percent):
    return random.randrange(100) < percent


def random_route(family=None):
    family = family or random.choice([4, 4, 6])
    iif = random.choice(IIFS)
    payload = {"group": random.choice(GROUPS[family]), "iif": iif, "wait": True,
               "oifs": [name for name in random.choice(OIFS) if name != iif] or ["r2"]}
    if chance(65):
        payload["source"] = random.choice(SOURCES[family])
        if chance(10):
            payload["oifs"] = []
    if family == 4 and payload["oifs"] and chance(25):
        payload["ttls"] = [random.choice([1, 5]) for _ in payload["oifs"]]
    if chance(30):
        payload["table"] = random.choice([100, 101])
    if chance(10):
        payload["idle"] = random.choice([60, 120])
    return payload


def random_join():
    family = random.choice([4, 6])
    payload = {"group": random.choice(JOINED[family]),
               "iif": random.choice(["r0", "r1", "late0"]), "wait": True}
    if chance(40):
        groups, sources = JOINED_FROM[family]
        payload.update(group=random.choice(groups), source=random.choice(sources))
    return payload


def configured_route():
    """Its key decides what is there, so that nobody replaces it."""
    number = random.randrange(6)
    return {"source": "10.1.0.2", "group": f"239.8.0.{number}", "iif": "r0",
            "oifs": ["r1"] if number % 2 else ["r1", "late0"], "wait": True}


def configured_join():
    return {"group": f"239.9.0.{random.randrange(4)}", "iif": "r0", "wait": True}


def random_files():
    return ([("ADD_MFC", configured_route()) for _ in range(random.randrange(5))] +
            [("ADD_JOIN", configured_join()) for _ in range(random.randrange(4))])


def named(payload, *names):
    return {name: payload[name] for name in names if name in payload}


class Chooser:
    """Requests by chance. What is deleted is mostly there, and what is added often is."""

    def __init__(self, model):
        self.model = model

    def add_mfc(self, uid):
        payload = configured_route() if chance(10) else random_route()
        routes = list(self.model.routes.values())
        if routes and chance(25):  # as it is, or but for one interface
            payload = self.again(random.choice(routes))
        if uid != ROOT and chance(30):
            payload["while_connected"] = True
        return "ADD_MFC", payload

    @staticmethod
    def again(route):
        payload = {"source": route.source, "group": route.group, "iif": route.iif,
                   "oifs": list(route.oifs), "table": route.table, "wait": True}
        if route.family == 4:
            payload["ttls"] = list(route.oifs.values())
        if route.idle:
            payload["idle"] = route.idle
        if route.group.startswith("239.8.") or route.iif == "r2" or chance(70):
            return payload
        payload.pop("ttls", None)
        payload["oifs"] = ["r2"]
        return payload

    def del_mfc(self, uid):
        routes = [route for route in self.model.routes.values()
                  if uid == ROOT or route.own(uid, True)] or [*self.model.routes.values()]
        if not routes or chance(10):
            return "DEL_MFC", named(random_route(), "source", "group", "iif", "table")
        route = random.choice(routes)
        payload = {"source": route.source, "group": route.group, "table": route.table}
        if chance(70):
            payload["iif"] = route.iif
        return "DEL_MFC", payload

    def add_join(self, uid):
        payload = configured_join() if chance(10) else random_join()
        if uid != ROOT and chance(30):
            payload["while_connected"] = True
        return "ADD_JOIN", payload

    def del_join(self, uid):
        joins = [join for join in self.model.joins.values() if uid == ROOT or join.own(uid, True)]
        if not joins or chance(10):
            return "DEL_JOIN", named(random_join(), "source", "group", "iif")
        join = random.choice(joins)
        return "DEL_JOIN", {"source": join.source, "group": join.group, "iif": join.iif}

    def flush_mfc(self, uid):
        payload = self.selected()
        if uid == ROOT and chance(50):
            payload["all"] = True
        return "FLUSH_MFC", payload

    @staticmethod
    def selected():
        payload = {}
        if chance(40):
            payload["family"] = random.choice(["ipv4", "ipv6"])
        if chance(40):
            payload["table"] = random.choice([100, 101, 253])
        return payload

    def set(self):
        """What BEGIN_REPLACE names, and routes of that."""
        selected = self.selected()
        if selected.get("family") == "ipv6" and selected.get("table") == 253:
            del selected["table"]
        family = {"ipv4": 4, "ipv6": 6, None: None}[selected.get("family")]
        if selected.get("table") == 253:
            family = 4
        routes = {}
        for _ in range(random.randrange(8)):
            payload = random_route(family)
            if "table" in selected:
                payload["table"] = selected["table"]
            version = prefix(payload["group"]).version
            key = (payload.get("source"), payload["group"],
                   payload.get("table", DEFAULT_TABLES[version]))
            routes[key] = payload
        return selected, list(routes.values())

    def any(self, uid):
        kinds = {"add_mfc": 40, "del_mfc": 18, "add_join": 18, "del_join": 10, "flush_mfc": 2}
        kind, = random.choices(list(kinds), kinds.values())
        return getattr(self, kind)(uid)


# --- A history ---------------------------------------------------------------------------------


class History:
    def __init__(self, options):
        self.options = options
        self.model, self.known_ids = Model(), set()
        if os.path.exists(options.model):
            with open(options.model, "rb") as file:
                self.model, self.known_ids = pickle.load(file)
        self.service = Service(options.victim)
        self.trace = collections.deque(maxlen=60)
        self.counts = collections.Counter()

    def save(self):
        with open(self.options.model, "wb") as file:
            pickle.dump((self.model, self.known_ids), file)

    def note(self, text):
        self.trace.append(text)

    # --- Comparing ---

    def check(self, candidates=None):
        """The service holds what the model says, or one of several candidates: it is the model from
        here on. Joins may take the kernel a moment."""
        candidates = candidates or [self.model]
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            view = View(self.service)
            wrong = [compare(candidate, view, self.known_ids) for candidate in candidates]
            possible = [lines for lines in wrong if all(map(is_settling, lines))]
            if not possible:
                raise Wrong("\n".join(min(wrong, key=len)))
            least = min(possible, key=len)
            model = candidates[wrong.index(least)]
            left = least + compare_kernel(model, view)
            if not left:
                break
            if time.monotonic() > end:
                raise Wrong("\n".join(left))
            time.sleep(0.01)
        self.model = model
        self.learn(view)
        self.counts["checks"] += 1

    def learn(self, view):
        leases = self.model.leases()
        for shown in view.leases:
            key = shown["kind"], shown["what"], shown.get("uid", NOBODY), shown["origin"]
            leases[key].id, leases[key].since = shown["lease"], shown["since"]
            self.known_ids.add(shown["lease"])

    # --- Requests ---

    def expect(self, reply, expected, what):
        code, parts = expected
        if reply is None:
            raise Wrong(f"the service hung up on {what}")
        seen = reply.get("code"), {name: reply.get("payload", {}).get(name) for name in parts}
        if seen != (code, {} if code else parts) and not (code and seen[0] == code):
            raise Wrong(f"{what}: expected {expected}, saw {reply}")
        self.counts["requests"] += 1
        self.counts["refused"] += bool(code)

    def request(self, uid, action, payload):
        self.note(f"{uid} {action} {json.dumps(payload)}")
        reply = self.service.ask(uid, action, **payload)
        self.expect(reply, self.model.perform(uid, action, payload), f"{uid} {action} {payload}")

    def one(self):
        uid = random.choice([*POLICY] * 3 + [ROOT])
        self.request(uid, *Chooser(self.model).any(uid))

    def elsewhere(self):
        """On a connection of its own, which has no sessions' leases."""
        uid = random.choice([*POLICY])
        action, payload = Chooser(self.model).any(uid)
        payload.pop("while_connected", None)
        self.note(f"{uid} elsewhere {action} {json.dumps(payload)}")
        connection = Connection(uid)
        connection.send((action, payload))
        self.expect(connection.receive(), self.model.perform(uid, action, payload, False), payload)
        connection.close()

    def revoke(self):
        ids = [lease.id for held in self.model.all_held() for lease in held.leases if lease.id]
        if ids:
            self.request(ROOT, "REVOKE", {"lease": random.choice(ids)})

    def replace(self):
        uid = random.choice([*POLICY])
        selected, routes = Chooser(self.model).set()
        self.note(f"{uid} replaces {selected} by {json.dumps(routes)}")
        connection = Connection(uid)
        connection.send(("BEGIN_REPLACE", selected))
        self.expect(connection.receive(), (None, {}), "BEGIN_REPLACE")
        failed = False
        for payload in routes:
            connection.send(("ADD_MFC", payload))
            code, _ = self.model.check_route(uid, payload)
            failed |= code is not None
            self.expect(connection.receive(), (code, {} if code else {"result": "staged"}), payload)
            if self.kill_by_chance():
                return
        if chance(15):
            connection.send(("ABORT", {}))
            self.expect(connection.receive(), (None, {}), "ABORT")
        else:
            expected = ("aborted", {}) if failed else self.model.commit(uid, selected, routes)
            connection.send(("COMMIT", {}))
            self.expect(connection.receive(), expected, f"COMMIT of {uid}")
        self.kill_by_chance()
        connection.close()

    def hang_up(self):
        """A session ends by itself."""
        uid = random.choice([*POLICY])
        if uid in self.service.connections:
            self.note(f"{uid} hangs up")
            self.service.connections.pop(uid).close()
            self.model.end_session(uid)
            self.wait_for_model()

    def reload(self):
        if not self.options.files:
            return
        self.model.files = random_files()
        self.note(f"reload {self.model.files}")
        self.write_files()
        os.kill(self.service.keeper, signal.SIGHUP)
        self.model.apply_files()
        self.counts["reloads"] += 1
        self.wait_or_kill()

    def write_files(self):
        with open(self.options.files + ".new", "w") as file:
            for action, payload in self.model.files:
                file.write(json.dumps({"action": action, "payload": payload}) + "\n")
        os.rename(self.options.files + ".new", self.options.files)

    def plug(self):
        """The interface that others wait for comes or goes."""
        gone = PLUGGED in self.model.interfaces
        self.note(f"{PLUGGED} {'goes' if gone else 'comes'}")
        for command in (["delete {}"] if gone else ["add {} type veth peer name other0",
                                                      "set other0 up", "set {} up"]):
            subprocess.run(["ip", "link", *command.format(PLUGGED).split()], check=True)
        self.model.interfaces ^= {PLUGGED}
        self.counts["plugs"] += 1
        self.wait_or_kill()

    def wait_or_kill(self):
        """What was begun need not be waited for: the next broker does it."""
        if not self.options.kills or chance(50):
            self.wait_for_model()
        else:
            self.restart(self.kill)

    def wait_for_model(self):
        end = time.monotonic() + SETTLE_SECONDS
        while (wrong := compare(self.model, View(self.service), self.known_ids)):
            if time.monotonic() > end:
                raise Wrong("\n".join(wrong))
            time.sleep(0.005)

    # --- Killing ---

    def kill(self):
        self.service.rest()
        self.note("KILL")
        self.service.kill()
        if self.service.victim == "broker" and chance(15):
            self.note("KILL of the next")
            self.service.kill_young()
            self.service.quick += 1
            self.counts["young kills"] += 1

    def restart(self, kill, candidates=None):
        """kill() kills; then the next one is asked."""
        kill()
        self.counts["kills"] += 1
        self.service.end_connections()
        for candidate in candidates or [self.model]:
            candidate.restart()
        self.service.begin()
        self.check(candidates)

    def kill_by_chance(self):
        left = self.options.requests - self.counts["requests"]
        kills = self.options.kills - self.counts["kills"]
        if kills <= 0 or random.random() * max(left, 1) > 1.3 * kills:
            return False
        self.restart(self.kill)
        return True

    def flight(self):
        """Requests of two users are under way when the service dies: one changes routes and the
        other joins, so of each any number of the first ones may have been done, but for those that
        were answered."""
        router, joiner = random.sample([*POLICY], 2)
        routes = (self.prepare_set(router) if chance(30) else
                  self.prepare(router, ["add_mfc", "del_mfc", "add_mfc", "flush_mfc"]))
        joins = self.prepare(joiner, ["add_join", "del_join"])
        self.note(f"in flight: {router} {[s[0] for s in routes[1:]]}, "
                  f"{joiner} {[s[0] for s in joins[1:]]}")
        self.service.rest()
        for uid, steps in (router, routes), (joiner, joins):
            self.service.connection(uid).send(*(step[0] for step in steps[1:]))
        end = time.monotonic() + random.uniform(0, 0.0001 * (len(routes) + len(joins)))
        while time.monotonic() < end:
            pass
        self.service.kill()
        replies = self.service.end_connections()
        candidates = []
        for route_step in routes[self.answered(replies[router], routes):]:
            for join_step in joins[self.answered(replies[joiner], joins):]:
                candidate = route_step[2].copy()
                candidate.joins = join_step[2].copy().joins
                candidates.append(candidate)
        self.note(f"one of {len(candidates)} candidates")
        self.counts["flights"] += 1
        self.counts["candidates"] += len(candidates)
        self.restart(lambda: None, candidates)

    def prepare(self, uid, kinds):
        """[(request, the reply, the model after it)], at first of none."""
        steps = [(None, None, self.model.copy())]
        self.service.ask(uid, "PING")
        for _ in range(random.randrange(1, 9)):
            model = steps[-1][2].copy()
            action, payload = getattr(Chooser(model), random.choice(kinds))(uid)
            steps.append(((action, payload), model.perform(uid, action, payload), model))
        return steps

    def prepare_set(self, uid):
        """The same of a set: it is there when COMMIT was done."""
        selected, routes = Chooser(self.model).set()
        codes = [self.model.check_route(uid, payload)[0] for payload in routes]
        self.service.ask(uid, "PING")
        steps = [(None, None, self.model), (("BEGIN_REPLACE", selected), (None, {}), self.model)]
        for payload, code in zip(routes, codes):
            expected = code, {} if code else {"result": "staged"}
            steps.append((("ADD_MFC", payload), expected, self.model))
        model = self.model.copy()
        expected = ("aborted", {}) if any(codes) else model.commit(uid, selected, routes)
        return [*steps, (("COMMIT", {}), expected, model)]

    def answered(self, replies, steps):
        for reply, step in zip(replies, steps[1:]):
            self.expect(reply, step[1], step[0])
        return len(replies)

    # --- All of it ---

    def step(self):
        kinds = {self.one: 80, self.elsewhere: 10, self.revoke: 4, self.replace: 3, self.hang_up: 2,
                 self.reload: 1, self.plug: 1, self.flight: self.options.flights}
        step, = random.choices(list(kinds), kinds.values())
        step()
        if not self.kill_by_chance() and chance(10):
            self.check()

    def run(self):
        self.model.end_sessions()  # of the history before
        self.wait_for_model()
        while self.counts["requests"] < self.options.requests:
            self.step()
        while self.counts["kills"] < self.options.kills:
            self.restart(self.kill)
        self.check()

    def check_only(self):
        self.model.restart()
        self.check()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["run", "check", "policy"])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--requests", type=int, default=int(os.environ.get("NB_REQUESTS", 1000)))
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--victim", choices=["broker", "keeper"], default="broker")
    parser.add_argument("--flights", type=int, default=0)
    parser.add_argument("--files")
    options = parser.parse_args()
    if options.what == "policy":
        print(policy_text())
        return
    seed = int(os.environ.get("NB_SEED", time.time_ns() % 1000000))
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    history = History(options)
    try:
        history.run() if options.what == "run" else history.check_only()
    except Wrong as wrong:
        print("\n".join(history.trace), file=sys.stderr)
        print(f"counts: {dict(history.counts)}", file=sys.stderr)
        sys.exit(f"FAILED with NB_SEED={seed}:\n{wrong}")
    finally:
        history.save()
    print(", ".join(f"{count} {name}" for name, count in history.counts.items()))


if __name__ == "__main__":
    main()
