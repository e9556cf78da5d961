"""What the service must hold, kept apart from it: every request that was acknowledged is done here
as the manuals say, and the answer, the leases, the routes, the joins and the kernel must agree.

It knows nothing of the service but its protocol, so it is a second opinion on it."""
import copy
import fnmatch
import functools
import ipaddress

ROOT, NOBODY = 0, None  # NOBODY: the user of what the configuration holds
READERS = "*.read"
INTERFACES = {"r0", "r1", "r2"}  # that exist always
PLUGGED = "late0"                # and one that comes and goes
DEFAULT_TABLES = {4: 253, 6: 254}
ANY = {4: "0.0.0.0", 6: "::"}
WRITE = "mroute.write"
JOIN = "join.write"

# Users and their rules: each allows the verbs on what lies within its limits.
POLICY = {
    3001: [{"verbs": [WRITE, JOIN]}],
    3002: [{"verbs": [WRITE, JOIN], "interfaces": ["r0", "r1", "late0"],
            "multicast": ["239.0.0.0/8", "ff0e::/16"]}],
    3003: [{"verbs": [WRITE], "tables": [253, 254]}, {"verbs": [JOIN]}],
    3004: [{"verbs": [WRITE, JOIN], "interfaces": ["r*"]}],
    3005: [{"verbs": [WRITE, JOIN], "multicast": ["239.1.0.0/16", "232.0.0.0/8", "ff0e::/16"]}],
}
NAMES = {3001: "member", 3002: "operator", 3003: "stranger", 3004: "fourth", 3005: "fifth"}


def policy_text():
    text = f"[allow everybody to look]\neveryone = yes\nverbs = {READERS}\n"
    for uid, rules in POLICY.items():
        for number, rule in enumerate(rules):
            text += f"[allow {NAMES[uid]} {number}]\nuser = {NAMES[uid]}\n"
            for name, items in rule.items():
                text += f"{name} = {', '.join(map(str, items))}\n"
    return text


@functools.lru_cache(None)
def prefix(text):
    return ipaddress.ip_network(text, strict=False)


@functools.lru_cache(None)
def plain(text):
    """As the service writes it: a prefix of all bits, or of none, is an address."""
    network = prefix(text)
    if network.prefixlen in (0, network.max_prefixlen):
        return str(network.network_address)
    return str(network)


def is_single(text):
    return "/" not in text and text not in ANY.values()


def is_pattern(name):
    return name.endswith("+")


def has_interface(items, name):
    if not is_pattern(name):
        return any(fnmatch.fnmatch(name, item) for item in items)
    return any(item == name or (item.endswith("*") and name[:-1].startswith(item[:-1]))
               for item in items)


def has_all(name, other):
    """Whether all interfaces that `other` means are among those of `name`."""
    return other.startswith(name[:-1]) if is_pattern(name) else name == other


def precision(iif):
    return len(iif) if is_pattern(iif) else 100


def is_allowed(uid, verb, interfaces, group, table):
    return uid == ROOT or any(
        verb in rule["verbs"]
        and ("interfaces" not in rule or
             (interfaces and all(has_interface(rule["interfaces"], name) for name in interfaces)))
        and ("multicast" not in rule or
             any(prefix(group).version == prefix(item).version and
                 prefix(group).subnet_of(prefix(item)) for item in rule["multicast"]))
        and ("tables" not in rule or table in rule["tables"])
        for rule in POLICY[uid])


class Lease:
    """`id` is None until the service has told it."""

    def __init__(self, uid, origin):
        self.uid, self.origin, self.id, self.since = uid, origin, None, None


class Held:
    """What leases are on: a route or a join. It goes with the last of them."""

    def __init__(self):
        self.leases = []

    def find(self, uid, origin):
        return next((lease for lease in self.leases if (lease.uid, lease.origin) == (uid, origin)),
                    None)

    def hold(self, uid, origin):
        if not self.find(uid, origin):
            self.leases.append(Lease(uid, origin))

    def own(self, uid, is_main):
        """Of a user who deletes: also what the connection holds, if it is the one that asks."""
        return [lease for lease in self.leases if lease.uid == uid and
                (lease.origin == "client" or (lease.origin == "session" and is_main))]

    def has_others(self, uid, origin):
        return any(lease.uid != uid or
                   (lease.origin == "configuration") != (origin == "configuration")
                   for lease in self.leases)


class Route(Held):
    def __init__(self, key, iif, oifs, idle):
        super().__init__()
        self.family, self.table, self.source, self.group = key[:4]
        self.change(iif, oifs, idle)

    def change(self, iif, oifs, idle):
        self.iif, self.oifs = iif, oifs
        self.is_range = (not is_single(self.source) or not is_single(self.group) or
                         any(map(is_pattern, [iif, *oifs])))
        self.idle = idle if self.is_range else None

    @property
    def interfaces(self):
        return {self.iif, *self.oifs}

    @property
    def what(self):
        return f"({self.source}, {self.group}) from {self.iif} in table {self.table}"

    @property
    def rank(self):
        """Who of two ranges has a flow that comes in where both have it."""
        return self.group_range.prefixlen, self.source_range.prefixlen, precision(self.iif)

    @property
    def group_range(self):
        return prefix(self.group)

    @property
    def source_range(self):
        """Of any source it is all of them."""
        return prefix(self.source + "/0") if self.source == ANY[self.family] else prefix(self.source)

    def shares(self, other):
        return ((self.family, self.table) == (other.family, other.table) and
                self.group_range.overlaps(other.group_range) and
                self.source_range.overlaps(other.source_range))

    def covers(self, other):
        return (other.group_range.subnet_of(self.group_range) and
                other.source_range.subnet_of(self.source_range))

    def loses_to(self, new, around):
        """Whether some flow would be the new route's that is this one's now. An exact route has its
        flow wherever it comes in; and what a better range has is not this one's."""
        if new.is_range and (self.rank >= new.rank or not (
                has_all(self.iif, new.iif) or has_all(new.iif, self.iif))):
            return False
        return not any(route.rank[:2] > self.rank[:2] and route.covers(new) and
                       (has_all(route.iif, self.iif) or
                        (new.is_range and has_all(route.iif, new.iif)))
                       for route in around)

    def could_be_native(self):
        return (self.source == ANY[self.family] and is_single(self.group) and
                not any(map(is_pattern, self.interfaces)))


class Join(Held):
    def __init__(self, key):
        super().__init__()
        self.family, self.source, self.group, self.iif = key

    @property
    def what(self):
        return (f"{self.group} on {self.iif}" if self.source == ANY[self.family] else
                f"{self.group} from {self.source} on {self.iif}")


def read_route(payload):
    """The key, and what is there."""
    group = plain(payload["group"])
    family = prefix(group).version
    source = plain(payload.get("source", ANY[family]))
    table = payload.get("table", DEFAULT_TABLES[family])
    iif = payload.get("iif")
    single = is_single(source) and is_single(group)
    key = family, table, source, group, None if single else iif
    oifs = payload.get("oifs", [])
    return key, (iif, dict(zip(oifs, payload.get("ttls", [1] * len(oifs)))),
                 payload.get("idle", 60))


def read_join(payload):
    group = plain(payload["group"])
    family = prefix(group).version
    return family, plain(payload.get("source", ANY[family])), group, payload["iif"]


class Model:
    def __init__(self):
        self.routes, self.joins = {}, {}
        self.files = []  # the requests of the administrator's files
        self.interfaces = set(INTERFACES)

    def copy(self):
        return copy.deepcopy(self)

    def all_held(self):
        return [*self.routes.values(), *self.joins.values()]

    def remove_empty(self):
        self.routes = {key: route for key, route in self.routes.items() if route.leases}
        self.joins = {key: join for key, join in self.joins.items() if join.leases}

    # --- Requests: each returns what the reply must be: (code or None, parts of its payload) ---

    def perform(self, uid, action, payload, is_main=True):
        return getattr(self, action.lower())(uid, payload, is_main)

    def check_route(self, uid, payload, origin="client"):
        """Why a route may not be put there, or None; and what would be done."""
        key, content = read_route(payload)
        old = self.routes.get(key)
        named = {content[0], *content[1], *(old.interfaces if old else ())}
        if uid is not NOBODY and not is_allowed(uid, WRITE, named, key[3], key[1]):
            return "not-allowed", None
        new = Route(key, *content)
        if uid is not NOBODY and not self.may_override(uid, new, old):
            return "in-use", None
        if not old:
            return None, "added"
        if (old.iif, old.oifs, old.idle) == (new.iif, new.oifs, new.idle):
            return None, "unchanged"
        if uid not in (ROOT, NOBODY) and old.has_others(uid, origin):
            return "in-use", None
        return None, "replaced"

    def may_override(self, uid, new, old):
        """Whether the user may take from others' ranges what the route would."""
        if (old and any(lease.uid == uid for lease in old.leases) and
                old.is_range == new.is_range and (not new.is_range or old.iif == new.iif)):
            return True
        around = [route for route in self.routes.values()
                  if route.is_range and route.shares(new) and route is not old]
        return all(is_allowed(uid, WRITE, route.interfaces,
                              max(route.group, new.group, key=lambda group: prefix(group).prefixlen),
                              route.table)
                   for route in around
                   if route.has_others(uid, "client") and route.loses_to(new, around))

    def put_route(self, uid, payload, origin):
        key, content = read_route(payload)
        route = self.routes.setdefault(key, Route(key, *content))
        route.change(*content)
        route.hold(uid, origin)

    def add_mfc(self, uid, payload, _is_main):
        origin = "session" if payload.get("while_connected") else "client"
        code, result = self.check_route(uid, payload, origin)
        if not code:
            self.put_route(uid, payload, origin)
        return code, {"result": result}

    def del_mfc(self, uid, payload, is_main):
        key, (iif, _, _) = read_route(payload)
        named = [route for other, route in self.routes.items()
                 if other[:4] == key[:4] and iif in (None, route.iif)]
        interfaces = {name for route in named for name in route.interfaces} | {iif} - {None}
        if not named:
            return "not-found", {}
        if (not is_allowed(uid, WRITE, interfaces, key[3], key[1]) or
                (uid != ROOT and not all(route.own(uid, is_main) for route in named))):
            return "not-allowed", {}
        for route in named:
            self.release(route, uid, is_main)
        kept = any(route.leases for route in named)
        self.remove_empty()
        return None, {"result": "kept" if kept else "deleted"}

    @staticmethod
    def release(held, uid, is_main):
        """A user's own leases; where an administrator has none, all."""
        own = held.own(uid, is_main) or held.leases
        held.leases = [lease for lease in held.leases if lease not in own]

    def matching(self, payload):
        family = {"ipv4": 4, "ipv6": 6, None: None}[payload.get("family")]
        return {key: route for key, route in self.routes.items()
                if family in (None, key[0]) and payload.get("table") in (None, key[1])}

    def flush_mfc(self, uid, payload, _is_main):
        if payload.get("all"):
            gone = self.matching(payload)
            self.routes = {key: route for key, route in self.routes.items() if key not in gone}
            return None, {"count": len(gone), "kept": 0}
        code, swept = self.sweep(uid, payload, ())
        return code, {} if code else {"count": swept[0], "kept": swept[1]}

    def sweep(self, uid, selected, but):
        """Ends the user's leases on all but some routes: (code, (routes gone, routes kept))."""
        held = [route for key, route in self.matching(selected).items()
                if key not in but and route.find(uid, "client")]
        for route in held:
            if len(route.leases) == 1 and not is_allowed(uid, WRITE, route.interfaces, route.group,
                                                         route.table):
                return "not-allowed", None
        for route in held:
            route.leases.remove(route.find(uid, "client"))
        gone = sum(not route.leases for route in held)
        self.remove_empty()
        return None, (gone, len(held) - gone)

    def commit(self, uid, selected, requests):
        """A set that was begun with `selected`, and its ADD_MFCs."""
        before = self.copy()
        counts = {"added": 0, "replaced": 0, "unchanged": 0}
        for payload in requests:
            code, result = before.check_route(uid, payload)
            if code:
                return code, {}
            counts[result] += 1
        # What goes is looked at before, and deleted after, the rest.
        keys = {read_route(payload)[0] for payload in requests}
        code, _ = before.sweep(uid, selected, keys)
        if code:
            return code, {}
        for payload in requests:
            self.put_route(uid, payload, "client")
        _, swept = self.sweep(uid, selected, keys)
        return None, {**counts, "deleted": swept[0]}

    def add_join(self, uid, payload, _is_main):
        key = read_join(payload)
        if not is_allowed(uid, JOIN, {key[3]}, key[2], None):
            return "not-allowed", {}
        result = "unchanged" if key in self.joins else "added"
        self.joins.setdefault(key, Join(key)).hold(
            uid, "session" if payload.get("while_connected") else "client")
        return None, {"result": result}

    def del_join(self, uid, payload, is_main):
        key = read_join(payload)
        join = self.joins.get(key)
        if not join:
            return "not-found", {}
        own = join.own(uid, is_main)
        if not is_allowed(uid, JOIN, {key[3]}, key[2], None) or (not own and uid != ROOT):
            return "not-allowed", {}
        kept = bool(own) and len(own) < len(join.leases)
        self.release(join, uid, is_main)
        self.remove_empty()
        return None, {"result": "kept" if kept else "deleted"}

    def revoke(self, _uid, payload, _is_main):
        for held in self.all_held():
            for lease in held.leases:
                if lease.id == payload["lease"]:
                    held.leases.remove(lease)
                    self.remove_empty()
                    return None, {}
        return "not-found", {}

    # --- What happens ---

    def apply_files(self):
        """The files were read: what they name is there, and nothing else that they named before."""
        names = set()
        for action, payload in self.files:
            if action == "ADD_MFC":
                names.add(("mfc", read_route(payload)[0]))
                self.put_route(NOBODY, payload, "configuration")
            else:
                key = read_join(payload)
                names.add(("join", key))
                self.joins.setdefault(key, Join(key)).hold(NOBODY, "configuration")
        for kind, held_by_key in ("mfc", self.routes), ("join", self.joins):
            for key, held in held_by_key.items():
                if (kind, key) not in names:
                    held.leases = [lease for lease in held.leases
                                   if lease.origin != "configuration"]
        self.remove_empty()

    def end_session(self, uid):
        for held in self.all_held():
            held.leases = [lease for lease in held.leases
                           if (lease.uid, lease.origin) != (uid, "session")]
        self.remove_empty()

    def end_sessions(self):
        for uid in POLICY:
            self.end_session(uid)

    def restart(self):
        """The broker, or all of the service, died or was started again."""
        self.end_sessions()
        self.apply_files()
        for held in self.all_held():
            for lease in held.leases:
                if lease.uid is NOBODY:  # the files are read again, perhaps with new leases
                    lease.id = None

    # --- What must be seen ---

    def leases(self):
        return {(kind, held.what, lease.uid, lease.origin): lease
                for kind, all_held in (("mfc", self.routes), ("join", self.joins))
                for held in all_held.values() for lease in held.leases}

    def state(self, route):
        if route.iif not in self.interfaces and not is_pattern(route.iif):
            return "waiting"
        if route.is_range and not (route.could_be_native() and self.ranges_with(route) == 1):
            return "on-demand"
        return "installed" if set(route.oifs) <= self.interfaces else "partial"

    def ranges_with(self, route):
        group = prefix(route.group)
        return sum(other.is_range and (other.family, other.table) == (route.family, route.table) and
                   group.subnet_of(prefix(other.group)) for other in self.routes.values())

    def is_of_range(self, rule):
        """Whether a learned route, as it is shown, is what one of the ranges makes of its flow."""
        oifs = set(zip(rule["oifs"], rule.get("ttls", [1] * len(rule["oifs"]))))
        for route in self.routes.values():
            if ((f"ipv{route.family}", route.table) == (rule["family"], rule["table"]) and
                    route.is_range and prefix(rule["group"]).subnet_of(prefix(route.group)) and
                    (route.source == ANY[route.family] or
                     prefix(rule["source"]).subnet_of(prefix(route.source))) and
                    rule["iif"] in self.meant(route.iif) and oifs == self.outputs(route, rule)):
                return True
        return False

    def meant(self, name):
        return ({other for other in self.interfaces if other.startswith(name[:-1])}
                if is_pattern(name) else {name})

    def outputs(self, route, rule):
        return {(name, ttl) for oif, ttl in route.oifs.items() for name in self.meant(oif)
                if name != rule["iif"]}

    def shown_routes(self):
        return {key: {"iif": route.iif, "oifs": route.oifs, "idle": route.idle,
                      "state": self.state(route), "owners": len(route.leases)}
                for key, route in self.routes.items()}

    def shown_joins(self):
        return {key: {"state": "joined" if join.iif in self.interfaces else "waiting",
                      "owners": len(join.leases)}
                for key, join in self.joins.items()}

    def kernel_routes(self):
        """As protocol.kernel_routes() has them."""
        entries = {}
        for route in self.routes.values():
            if self.state(route) not in ("installed", "partial"):
                continue
            oifs = {name: ttl for name, ttl in route.oifs.items() if name in self.interfaces}
            if route.source == ANY[route.family]:
                oifs.setdefault(route.iif, 1)
            entries[f"ipv{route.family}", route.table, route.source, route.group] = route.iif, oifs
        return entries

    def memberships(self):
        """(interface, group), and (interface, group, source) of those from a source."""
        groups = set()
        for join in self.joins.values():
            if join.iif not in self.interfaces:
                continue
            sources = [""] if join.source == ANY[join.family] else map(str, prefix(join.source))
            groups |= {(join.iif, str(group), source)[:3 if source else 2]
                       for source in sources for group in prefix(join.group)}
        return groups | {entry[:2] for entry in groups}
