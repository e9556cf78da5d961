"""A test set, a relay and what looks at the wire: scenarios of sv-run.sh.

    sv_run.py NETBROKER FOLDER SCENARIO [ARGUMENT...]
"""

import fcntl
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time

NETBROKER, FILES = sys.argv[1:3]
PATIENCE = 100  # seconds: the machine may be busy
GOCB = "REL/LLN0$GO$gcb1"


def check(holds, what):
    if not holds:
        raise SystemExit(f"does not hold: {what}")


def equal(what, expected, got):
    check(expected == got, f"{what}: expected {expected!r}, got {got!r}")


class Lines:
    """A process whose lines of JSON are read as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [NETBROKER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.queue = queue.Queue()
        self.seen = []
        self.listen()

    def listen(self):
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def next(self, patience=PATIENCE):
        line = self.queue.get(timeout=patience)
        if line is not None:
            self.seen.append(line)
        return line

    def until(self, what, holds):
        """The next line for which it holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                line = self.next(1)
            except queue.Empty:
                continue
            check(line is not None, f"{what}: it has ended; {self.seen[-5:]}")
            if holds(line):
                return line
        raise SystemExit(f"{what} has not come: {self.seen[-5:]}")

    def event(self, topic, holds=lambda data: True):
        return self.until(topic, lambda line: line.get("topic") == topic and holds(line["data"]))[
            "data"
        ]

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, status=0):
        self.process.stdin.close()
        equal("exit status", status, self.process.wait(PATIENCE))
        while self.next() is not None:
            pass


class TestSet(Lines):
    def __init__(self, *arguments):
        super().__init__("sv", "run", "p0", *arguments)

    def ask(self, action, id=None, payload=None):
        request = {"action": action}
        if id:
            request["id"] = id
        if payload is not None:
            request["payload"] = payload
        self.write(json.dumps(request))
        return self.until(f"the reply to {action}", lambda line: line.get("action") == action)

    def do(self, action, id=None, payload=None):
        reply = self.ask(action, id, payload)
        check("error" not in reply, f"{action} {id}: {reply}")
        return reply

    def refuses(self, part, *request):
        reply = self.ask(*request)
        check(part in reply.get("error", ""), f"{request}: {part!r} in {reply}")


class Unread(TestSet):
    """One whose lines nobody reads before it is listened to."""

    def listen(self):
        fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, 4096)


def start_relay(trip):
    """Publishes GOOSE at p1; `trip` says when: it gets lines of the analyser of what comes there."""
    goose = subprocess.Popen(
        [NETBROKER, "goose", "publish", "p1", "--gocb-ref", GOCB, "--value", "int:3"]
        + ["--value", "bool:false", "--shortest", "20", "--longest", "100", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    eyes = Lines("sv", "subscribe", "p1", "--direction", "in", "--json", "--interval", "0.1",
                 "--sample-rate", "4800")

    def watch():
        while (line := eyes.next(1000)) is not None:
            if trip(line):
                goose.stdin.write("2=true\n")
                goose.stdin.flush()
                return

    threading.Thread(target=watch, daemon=True).start()
    return goose, eyes


def stop_relay(goose, eyes):
    goose.stdin.close()
    for process in goose, eyes.process:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def capture(name):
    return subprocess.Popen(
        [NETBROKER, "capture", "-i", "p1", "--direction", "in", "--pcap", "-w", f"{FILES}/{name}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def end_capture(process, name):
    """What is on its way comes before: the file grows no more."""
    path, size = f"{FILES}/{name}", -1
    while size != os.path.getsize(path):
        size = os.path.getsize(path)
        time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)


def samples(name):
    """By svID: [(smpCnt, current of phase a, time)], by tshark."""
    shown = subprocess.run(
        ["tshark", "-r", f"{FILES}/{name}", "-o", "sv.decode_data_as_phsmeas:TRUE", "-T", "fields"]
        + ["-E", "separator=;", "-e", "sv.svID", "-e", "sv.smpCnt"]
        + ["-e", "sv.meas_value", "-e", "frame.time_epoch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout
    found = {}
    for line in shown.splitlines():
        ids, counts, values, moment = line.split(";")
        values = values.split(",")
        for number, (name, count) in enumerate(zip(ids.split(","), counts.split(","))):
            found.setdefault(name, []).append((int(count), int(values[8 * number]), float(moment)))
    return found


def check_whole(name, rows, rate, gaps=0):
    """No sample is lost, but where the stream was stopped."""
    found = sum(after[0] != (before[0] + 1) % rate for before, after in zip(rows, rows[1:]))
    equal(f"gaps of {name} ({len(rows)} samples)", gaps, found)


def numbered(rows, rate):
    """Each as the second since 1970 of the first one's, its number from there on, and the value."""
    second = int(rows[0][2] - rows[0][0] / rate + 0.5)
    number = rows[0][0]
    yield second, number, rows[0][1]
    for before, after in zip(rows, rows[1:]):
        number += (after[0] - before[0]) % rate
        yield second, number, after[1]


def create(test, id, **payload):
    test.do("create", id, payload)


# --- Scenarios ----------------------------------------------------------------------------------


def streams():
    """Three streams, of which one is changed, and one stopped and started, while the others run."""
    test = TestSet("--late", "0")
    create(test, "mu1", appId="0x4001", vlanId=5, vlanPrio=6, svId="MU01", confRev=7,
           nominalFreq=60, channels={"Ia": {"magnitude": 100, "angleDeg": 90}})
    create(test, "mu2", appId="0x4002", macDst="01:0c:cd:04:00:02", nominalFreq=60,
           signalFreq=59.95)
    create(test, "mu3", appId=0x4003, macDst="01:0c:cd:04:00:03", sampleRate=12800)
    equal("streams", ["created"] * 3, [one["status"] for one in test.do("list")["streams"]])
    wire = capture("streams.pcap")
    for id in "mu1", "mu2", "mu3":
        equal(id, "running", test.do("start", id)["status"])
    test.event("stream/status", lambda data: data["id"] == "mu3" and data["sent"] > 1500)
    test.do("change", "mu1", {"channels": {"Ia": {"magnitude": 900}}})
    test.do("stop", "mu2")
    test.refuses("does not run", "stop", "mu2")
    test.do("start", "mu2")
    test.refuses("runs", "start", "mu2")
    test.event("stream/status", lambda data: data["id"] == "mu2" and data["sent"] > 4000)
    told = {one["id"]: one for one in test.do("list")["streams"]}
    equal("svId", "MU01", told["mu1"]["svId"])
    test.do("delete", "mu3")
    equal("streams", ["mu1", "mu2"], [one["id"] for one in test.do("list")["streams"]])
    test.end(1)  # requests were refused
    last = [line["data"] for line in test.seen if line.get("topic") == "stream/status"][-2:]
    equal("the last words", ["stopped", "stopped"], [one["status"] for one in last])
    end_capture(wire, "streams.pcap")
    found = samples("streams.pcap")
    equal("streams on the wire", {"MU01", "mu2", "mu3"}, set(found))
    check_whole("mu1", found["MU01"], 4800)
    check_whole("mu2", found["mu2"], 4800, 1)
    check_whole("mu3", found["mu3"], 12800)
    # The capture may have begun behind the first ones.
    check(last[0]["sent"] / 2 < len(found["MU01"]) <= last[0]["sent"], "frames that were sent come")
    peaks = [abs(value) for _, value, _ in found["MU01"]]
    check(max(peaks[:800]) <= 141422 < 1200000 < max(peaks[-800:]) <= 1272793, "the change is there")
    rows = found["MU01"]
    changed = next(i for i, row in enumerate(rows) if abs(row[1]) > 141422)
    check(rows[changed][1] * rows[changed - 1][1] >= 0 or abs(rows[changed - 1][1]) < 20000,
          "the phase goes on")


def states(*rows):
    return {"states": list(rows)}


FAULT = {"channels": {"Ia": {"magnitude": 3000, "angleDeg": 0}}}


def trip():
    """A relay sees the fault, trips, and the sequence goes on."""
    test = TestSet()
    for number in 1, 2:
        create(test, f"mu{number}", appId=0x4000 + number, nominalFreq=60,
               channels={"Ia": {"magnitude": 100}})
    create(test, "mu3", appId=0x4003, sampleRate=14400, nominalFreq=60,
           channels={"Ia": {"magnitude": 100}})
    wire = capture("trip.pcap")
    for id in "mu1", "mu2", "mu3":
        test.do("start", id)

    def is_fault(line):
        return line.get("topic") == "analyzer/phasors" and line["data"]["stream"] == "mu1" and any(
            one["name"] == "Ia" and one["magnitude"] > 2000 for one in line["data"]["channels"]
        )

    relay = start_relay(is_fault)
    test.event("stream/status", lambda data: data["id"] == "mu1" and data["sent"] > 4000)
    goose = {"interface": "p0", "gocbRef": GOCB, "index": 1, "value": True}
    test.do("sequence", None, states(
        {"name": "prefault", "duration": 0.5, "transition": "time"},
        {"name": "fault", "transition": {"goose": goose, "timeout": 90},
         "streams": {"mu1": FAULT, "mu2": FAULT, "mu3": FAULT}},
        {"name": "end", "duration": 0.3},
    ))
    test.refuses("a sequence is running", "sequence", None, states(
        {"name": "x", "duration": 1, "streams": {"mu1": {}}}))
    test.refuses("part of the sequence", "change", "mu1", {"quality": "test"})
    told = [test.event("sequence/progress", lambda data: data["stateName"] == name and
                       "begins" in data) for name in ("prefault", "fault", "end")]
    equal("states", [(1, 3), (2, 3), (3, 3)],
          [(one["currentState"], one["totalStates"]) for one in told])
    equal("the time of prefault", 500000000, int(told[1]["begins"]) - int(told[0]["begins"]))
    delay = told[2]["trip"]["delay"]
    check(0 < delay < 1000000000, f"from trip to transition: {delay} ns")
    check("a trip came in 'fault'" in told[2]["message"], told[2]["message"])
    print("from the trip to the transition:", delay / 1e6, "ms;", told[2]["message"],
          file=sys.stderr)
    over = test.event("sequence/progress", lambda data: data["status"] == "completed")
    check("begins" in over and over["stateName"] == "end", str(over))
    stop_relay(*relay)
    test.end(1)
    end_capture(wire, "trip.pcap")
    if any("late: " in line["data"].get("message", "") for line in test.seen if "data" in line):
        print("the machine is too slow for a trip", file=sys.stderr)
        return
    found = samples("trip.pcap")
    for id, rate in ("mu1", 4800), ("mu2", 4800), ("mu3", 14400):
        for second, number, value in numbered(found[id], rate):
            ns = second * 10**9 + number * 10**9 // rate
            rms = 3000 if int(told[1]["begins"]) <= ns + 1 < int(told[2]["begins"]) else 100
            right = rms * 1000 * math.sqrt(2) * math.cos(2 * math.pi * 60 * number / rate)
            check(abs(value - right) < 1, f"{id} at {ns}: {value}, not {right}: {told}")


def cancelled():
    """A sequence is paused, resumed and cancelled, and one is cut short by what happens to a
    stream."""
    test = TestSet()
    create(test, "mu1")
    create(test, "mu2", appId=0x4001)
    long = states({"name": "long", "duration": 60, "streams": {"mu1": FAULT}},
                  {"name": "next", "duration": 1})
    for action in "pause", "resume", "cancel":
        test.refuses("no sequence is running", action)
    test.refuses("does not run", "sequence", None, long)
    test.do("start", "mu1")
    test.do("start", "mu2")
    test.do("sequence", None, long)
    test.event("sequence/progress", lambda data: data["stateName"] == "long")
    test.do("pause")
    test.refuses("paused already", "pause")
    test.do("resume")
    test.refuses("not paused", "resume")
    test.do("change", "mu2", {"channels": {"Vb": {"magnitude": 1}}})
    test.do("cancel")
    told = [line["data"] for line in test.seen if line.get("topic") == "sequence/progress"]
    check("cancelled, in state 1 of 2 ('long'), " in told[-1]["message"], told[-1]["message"])
    equal("status", "cancelled", told[-1]["status"])
    test.do("sequence", None, long)
    test.event("sequence/progress", lambda data: data["stateName"] == "long")
    test.do("stop", "mu2")
    test.do("stop", "mu1")
    told = [line["data"] for line in test.seen if line.get("topic") == "sequence/progress"]
    check("cut short because the stream 'mu1' was stopped, in state 1 of 2" in told[-1]["message"],
          told[-1]["message"])
    # Without a trip, the time-out.
    test.do("start", "mu1")
    goose = {"gocbRef": GOCB, "index": 0, "value": True}
    test.do("sequence", None, states(
        {"name": "wait", "transition": {"goose": goose, "timeout": 0.3}, "streams": {"mu1": FAULT}},
        {"name": "behind", "duration": 0.2}))
    told = test.event("sequence/progress", lambda data: data["stateName"] == "behind")
    check("no trip came in 'wait'" in told["message"], told["message"])
    test.event("sequence/progress", lambda data: data["status"] == "completed")
    test.end(1)  # requests were refused


def recording_of(name):
    return json.dumps({"action": "create", "id": "b", "payload": {
        "dataSource": "COMTRADE", "file": f"{FILES}/{name}.cfg"}})


def long_recording(stem):
    with open(f"{stem}.cfg", "w", encoding="ascii") as out:
        out.write("here,it,1999\n1,1A,0D\n1,Ia,,,A,1,0,0,-9,9,1,1,P\n50\n0\n0,0\n" +
                  "01/01/2020,00:00:00.000000\n" * 2 + "ASCII\n1e30\n")
    with open(f"{stem}.dat", "w", encoding="ascii") as out:
        out.write("1,0,1\n2,1,2\n3,2,3\n4,3,4\n")


def mistakes():
    """What is wrong is said, and harms nothing that runs."""
    test = TestSet()
    create(test, "mu1")
    test.do("start", "mu1")
    number = 2  # lines that were written
    os.mkfifo(f"{FILES}/pipe.cfg")
    long_recording(f"{FILES}/long")
    for line, part in (
        ("{", "a request is an object on one line"),
        ('{"action":"fly"}', "takes create, change"),
        ('{"action":"create","id":"mu1","payload":{}}', "there is a stream 'mu1'"),
        ('{"action":"start","id":"mu9"}', "no stream 'mu9'"),
        ('{"action":"change","id":"mu9","payload":{}}', "no stream 'mu9'"),
        ('{"action":"create","id":"b","payload":{"sampelRate":4800}}', "is sampleRate meant?"),
        ('{"action":"create","id":"b","payload":{"svId":"a name of many letters",'
         '"sampleRate":4800,"asdus":16}}',
         "longer than Ethernet"),
        ('{"action":"create","id":"b","payload":{"dataSource":"COMTRADE","file":"/none.cfg"}}',
         "cannot read '/none.cfg': No such file"),
        (recording_of("pipe"), "it is no ordinary file"),
        (recording_of("long"), "the last sample is at 3e+24 s"),
        ('{"action":"change","id":"mu1","payload":{"channels":{"Ia":{"harmonics":'
         '[{"order":50,"magnitude":1}]}}}}', "higher sampleRate"),
        ('{"action":"sequence","payload":{"states":[{"name":"a","duration":1,'
         '"streams":{"mu9":{}}}]}}', "\"create\" it before"),
        ('{"action":"sequence","payload":{"states":[{"name":"a","duration":1}]}}',
         "no state names a stream"),
        ('{"action":"sequence","payload":{"states":[{"name":"a","transition":{"goose":{'
         '"interface":"p7","gocbRef":"x","index":0,"value":1},"timeout":1},'
         '"streams":{"mu1":{}}}]}}', "p7"),
        ("x" * 2000000, "longer than 1048576 bytes"),
    ):
        test.write(line)
        number += 1
        told = test.until(f"the error of {line[:60]}", lambda line: "error" in line)
        check(part in told["error"], f"{line[:80]}: {part!r} in {told!r}")
        equal(f"the line of {line[:80]}", number, told["line"])
    test.write("\n# a note\n  \n")
    equal("streams", ["running"], [one["status"] for one in test.do("list")["streams"]])
    test.write('{"action":"list"}')
    # What the policy does not allow, the service says when it is started.
    create(test, "far", macSrc="02:00:00:00:00:77", appId=1)
    test.do("start", "far")
    test.end(1)
    equal("no such interface", 1, run_status("p9", '{"action":"create","id":"a","payload":{}}'))


def run_status(interface, line):
    return subprocess.run([NETBROKER, "sv", "run", interface], input=line + "\n", text=True,
                          stdout=subprocess.DEVNULL, check=False).returncode


def file():
    """The requests of a file, without a newline at its end: it ends with its sequence."""
    path = f"{FILES}/test.json"
    with open(path, "w", encoding="ascii") as out:
        out.write('# a test\n{"action":"create","id":"mu1","payload":{}}\n'
                  '{"action":"start","id":"mu1"}\n'
                  '{"action":"sequence","payload":{"states":[{"name":"a","duration":0.4,'
                  '"streams":{"mu1":{}}}]}}')
    done = subprocess.run([NETBROKER, "sv", "run", "p0", path], stdout=subprocess.PIPE, text=True,
                          timeout=PATIENCE, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(any(line.get("data", {}).get("status") == "completed" for line in lines), "it is over")
    equal("the last word", "stopped", lines[-1]["data"]["status"])


def refused():
    """What is wrong with a file, or the words of the command: it ends, and says why."""
    path = f"{FILES}/wrong.json"
    with open(path, "w", encoding="ascii") as out:
        out.write('{"action":"create","id":"mu1","payload":{}}\n{"action":"start","id":"mu1"}\n\n'
                  '{"action":"sequence","payload":{"states":[{"name":"a","duraton":1}]}}\n')
    for words, status, part in (
        (["p0", path], 1, '"line":4'),  # or else the stream would be published for ever
        (["p0", FILES], 1, f"cannot read '{FILES}': Is a directory"),
        ([path], 2, "is no name of an interface"),
        ([path, "p0"], 2, "is no name of an interface"),
    ):
        done = subprocess.run([NETBROKER, "sv", "run", *words], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                              check=False)
        equal(f"the exit status of {words}", status, done.returncode)
        check(part in done.stdout, f"{words}: {part!r} in {done.stdout!r}")
    done = subprocess.run(
        [NETBROKER, "sv", "run", "p0"], text=True, capture_output=True, timeout=PATIENCE,
        check=True, input='{"action":"create","id":"mu1","payload":{}}\n'
        '{"action":"start","id":"mu1"}\n')
    check("standard input has ended" in done.stderr, f"it says why it ends: {done.stderr!r}")
    keys, terminal = os.openpty()
    with subprocess.Popen([NETBROKER, "sv", "run", "p0"], stdin=terminal, text=True,
                          stderr=subprocess.PIPE) as typed:
        check("an object on a line each" in typed.stderr.readline(), "it says what it waits for")
        os.write(keys, b"\x04")
        equal("the exit status on a terminal", 0, typed.wait(PATIENCE))


def owner():
    """Whoever is killed has no streams any more; a second one is not harmed."""
    other = TestSet()
    create(other, "other", appId=9)
    other.do("start", "other")
    test = TestSet()
    create(test, "mu1")
    test.do("start", "mu1")
    test.event("stream/status", lambda data: data["sent"] > 100)
    test.process.kill()
    test.process.wait(PATIENCE)
    before = other.event("stream/status")["sent"]
    after = other.event("stream/status")["sent"]
    check(after > before, "the other one goes on")
    # One that is stopped publishes no more, and goes on when it goes on.
    wire = Lines("sv", "subscribe", "p1", "--direction", "in", "--json", "--interval", "0.2")
    wire.until("it is seen", lambda line: True)
    other.process.send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    try:
        while time.monotonic() < begin + PATIENCE:
            wire.next(3)
        check(False, "it is silent")
    except queue.Empty:
        pass
    other.process.send_signal(signal.SIGCONT)
    wire.until("it goes on", lambda line: True)
    wire.process.send_signal(signal.SIGINT)
    other.end()


def revoked():
    """The administrator takes one stream back: that one has failed, and the sequence says where it
    was cut short; the other goes on."""
    test = TestSet()
    create(test, "mu1")
    create(test, "mu2", appId=2, macDst="01:0c:cd:04:00:02")
    test.do("start", "mu1")
    test.do("start", "mu2")
    test.do("sequence", None, states(
        {"name": "one", "duration": 0.2, "streams": {"mu1": FAULT, "mu2": FAULT}},
        {"name": "two", "duration": 60}))
    test.event("sequence/progress", lambda data: data["stateName"] == "two")
    with open(f"{FILES}/revoke", "w", encoding="ascii"):
        pass
    told = test.event("stream/status", lambda data: data["status"] == "failed")
    equal("who has failed", "mu1", told["id"])
    check("taken back" in told["reason"], told["reason"])
    told = test.event("sequence/progress", lambda data: data["status"] == "cut")
    check("because the stream 'mu1' has failed, in state 2 of 2 ('two')" in told["message"],
          told["message"])
    test.event("stream/status", lambda data: data["id"] == "mu2" and data["status"] == "running")
    equal("mu1 again", "running", test.do("start", "mu1")["status"])
    test.end(1)


def at_once():
    """A stream that needs nothing is taken back right behind its status, which is told each second:
    that it has failed is told before the next one is due."""
    test = TestSet()
    create(test, "mu1")
    delays = []
    for number in range(3):
        test.do("start", "mu1")
        touch(f"running.{number}")
        test.event("stream/status", lambda data: data["sent"] > 0)
        test.event("stream/status", lambda data: data["status"] == "running")
        touch(f"revoke.{number}")
        told = test.until("its end", lambda line: line.get("data", {}).get("status") == "failed")
        with open(f"{FILES}/moment", encoding="ascii") as moment:
            delays.append((int(told["ts"]) - int(moment.read())) / 1e9)
    print("seconds from the revocation to the word of it:", delays, file=sys.stderr)
    check(min(delays) < 0.5, f"it is told at once: {delays}")
    test.end(1)


def unread():
    """Nobody reads what is said: streams that are fed go on. In the end all replies are there, and
    how many lines were left out."""
    eyes = Lines("sv", "subscribe", "p1", "--direction", "in", "--json", "--interval", "0.5")
    test = Unread("--late", "0")
    for number in range(2):
        test.write(json.dumps({"action": "create", "id": f"mu{number}", "payload": {
            "appId": 0x4000 + number, "signalFreq": 49.95}}))
        test.write(json.dumps({"action": "start", "id": f"mu{number}"}))
    for number in range(300):  # more than waits of what is told each second
        test.write('{"action":"list"}')
    eyes.event("analyzer/streams", lambda data: data["stream"] == "mu1" and
               data["samples"] > 8 * 4000)
    TestSet.listen(test)
    equal("replies", [action for number in range(2) for action in ("create", "start")],
          [test.until("a reply", lambda line: "action" in line)["action"] for _ in range(4)])
    for _ in range(300):
        equal("streams that are listed", 2,
              len(test.until("a list", lambda line: line.get("action") == "list")["streams"]))
    check(test.event("output/dropped")["lines"] > 2, "lines were left out, and that is told")
    test.end()
    # It ends by a signal, though nobody reads its last words.
    test = Unread()
    test.write('{"action":"list"}\n' * 400)
    test.process.send_signal(signal.SIGTERM)
    test.process.wait(PATIENCE)
    eyes.process.send_signal(signal.SIGINT)
    eyes.end()


def absolute(rows, rate):
    """The numbers of samples since 1970: frames may be late by almost half a second."""
    return [int(moment - count / rate + 0.5) * rate + count for count, _, moment in rows]


def check_flaws(numbers, missing, twice):
    """What is missing between the first and the last one, and what came twice."""
    seen = set(numbers)
    inner = range(min(numbers), max(numbers))
    absent = {number for number in inner if number not in seen}
    equal("what came that was to be left out", [], sorted(set(missing) & set(inner) - absent)[:20])
    equal("what is missing beside", [], sorted(absent - set(missing))[:20])
    equal("what came twice", sorted(set(twice) & set(inner)),
          sorted(number for number in seen if numbers.count(number) > 1))


def flaws():
    """Frames are left out and sent twice, just those that were named; after a change, others."""
    test = TestSet("--late", "0")
    create(test, "mu1", drop="3@0.5", duplicate=["2@1", "1@1.25"])
    create(test, "mu2", appId=0x4002, sampleRate=14400, nominalFreq=60, drop=["1/200"])
    create(test, "mu3", appId=0x4003)
    wire = capture("flaws.pcap")
    # The capture is there before the first frame.
    test.do("start", "mu3")
    eyes = Lines("sv", "subscribe", "p1", "--direction", "in", "--json", "--interval", "0.2")
    eyes.event("analyzer/streams")
    while not os.path.exists(f"{FILES}/flaws.pcap") or not os.path.getsize(f"{FILES}/flaws.pcap"):
        time.sleep(0.1)
    begins = [int(test.do("start", id)["begins"]) for id in ("mu1", "mu2")]
    test.refuses("was started without 'drop'", "change", "mu3", {"drop": "1@1"})
    test.refuses("1/80 would be right", "create", "no", {"drop": "1/10"})
    test.refuses("drop '1/2/3' is wrong", "create", "no", {"drop": "1/2/3"})
    test.do("stop", "mu3")
    told = test.event("stream/status", lambda data: data["id"] == "mu1" and data["sent"] > 6000)
    equal("frames of mu1 that were left out", 3, told["dropped"])
    changed = int(test.do("change", "mu1", {"drop": "5@0.3"})["begins"])
    test.event("stream/status", lambda data: data["id"] == "mu1" and data["dropped"] == 8)
    test.event("stream/status", lambda data: data["id"] == "mu2" and data["sent"] > 9000)
    eyes.process.send_signal(signal.SIGINT)
    eyes.end()
    test.end(1)
    end_capture(wire, "flaws.pcap")
    if any(line["data"]["starved"] for line in test.seen if line.get("topic") == "stream/status"):
        print("the machine is too slow for streams that are fed", file=sys.stderr)
        return
    found = samples("flaws.pcap")
    first, then = (round(ns * 4000 / 1e9) for ns in (begins[0], changed))
    check_flaws(absolute(found["mu1"], 4000),
                [first + 2000 + i for i in range(3)] + [then + 1200 + i for i in range(5)],
                [first + 4000, first + 4001, first + 5000])
    frame = round(begins[1] * 14400 / 1e9) // 6
    last = max(absolute(found["mu2"], 14400)) // 6
    check_flaws(absolute(found["mu2"], 14400),
                [one * 6 + i for one in range(frame + 199, last, 200) for i in range(6)], [])


def touch(name):
    with open(f"{FILES}/{name}", "w", encoding="ascii"):
        pass


def killed():
    """The service is killed: the stream is asked for again, and goes on with the sample that is
    due; of a sequence no state moves."""
    test = TestSet()
    create(test, "mu1", nominalFreq=60, channels={"Ia": {"magnitude": 100}})
    test.do("start", "mu1")
    test.do("sequence", None, states(
        {"name": "long", "duration": 3, "streams": {"mu1": {"channels": {"Ia": {"magnitude": 7}}}}},
        {"name": "next", "duration": 4}))
    first = test.event("sequence/progress", lambda data: "begins" in data)
    test.event("stream/status", lambda data: data["sent"] > 100)
    with open(f"{FILES}/ready", "w", encoding="ascii"):
        pass  # and the service is killed
    before = test.event("stream/status", lambda data: data["status"] == "waiting")["sent"]
    after = test.event("stream/status", lambda data: data["status"] == "running")["sent"]
    check(after >= before > 100, f"{before} frames were sent before, {after} are told behind")
    wire = capture("killed.pcap")
    then = test.event("sequence/progress", lambda data: data["stateName"] == "next" and
                      "begins" in data)
    equal("the time of the state", 3000000000, int(then["begins"]) - int(first["begins"]))
    test.event("sequence/progress", lambda data: data["status"] == "completed")
    test.end()
    end_capture(wire, "killed.pcap")
    rows = samples("killed.pcap")["mu1"]
    for second, number, value in numbered(rows, 4800):
        ns = second * 10**9 + number * 10**9 // 4800
        rms = 7 if ns + 1 < int(then["begins"]) else 100
        right = rms * 1000 * math.sqrt(2) * math.cos(2 * math.pi * 60 * number / 4800)
        check(abs(value - right) < 1, f"at {ns}: {value}, not {right}")


if __name__ == "__main__":
    globals()[sys.argv[3]](*sys.argv[4:])
