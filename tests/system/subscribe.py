"""What the lines of `sv subscribe --json` and `goose subscribe --json` must be.

    subscribe.py sv FILE RATE FREQUENCY [MEMBER=VALUE...]  streams and phasors of iec61850-tool's
                                                           stream; members of the last line of it
    subscribe.py goose FILE                                events of iec61850-tool's publisher
    subscribe.py peer_sv FILE                              streams of iec61850.py's publisher
    subscribe.py peer_goose FILE                           values of iec61850.py's publisher
    subscribe.py times FILE                                prints when each event was, in ms
"""
import itertools
import json
import sys

TOPICS = {
    "analyzer/streams": ["stream", "svID", "appId", "src", "dst", "vlanId", "vlanPrio", "confRev",
                         "smpSynch", "simulated", "asdus", "sampleRate", "smpCnt", "frames",
                         "samples", "lost", "repeated", "late", "restarts", "jitter", "quality"],
    "analyzer/phasors": ["stream", "sampleRate", "samplesPerCycle", "frequency", "channels"],
    "analyzer/harmonics": ["stream", "channel", "harmonics"],
    "analyzer/waveforms": ["stream", "sampleRate", "first", "time", "channels"],
    "analyzer/end": ["frames", "streams", "lost", "malformed"],
    "goose/end": ["messages", "publishers", "lost", "malformed"],
    "goose/events": ["change", "gocbRef", "goID", "appId", "src", "stNum", "sqNum", "t",
                     "timeAllowedToLive", "values"],
}


def expect(what, expected, seen):
    if expected != seen:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


def near(what, expected, seen, by):
    if abs(expected - seen) > by:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


def lines(path):
    found = [json.loads(line) for line in open(path)]
    for line in found:
        expect("members of a line", ["topic", "ts", "data"], list(line))
        int(line["ts"])
        members = [m for m in line["data"] if m != "lost" or line["topic"] != "goose/events"]
        expect("members of " + line["topic"], TOPICS[line["topic"]], members)
    return found


def of_topic(found, topic):
    return [line["data"] for line in found if line["topic"] == topic]


def check_channels(phasors, frequency):
    names = ["Ia", "Ib", "Ic", "In", "Va", "Vb", "Vc", "Vn"]
    expect("channels", names, [c["name"] for c in phasors["channels"]])
    near("frequency", frequency, phasors["frequency"], 0.001)
    for i, channel in enumerate(phasors["channels"]):
        size, unit = (100, "A") if i < 4 else (63500, "V")
        first = phasors["channels"][i - i % 4]
        if i % 4 == 3:
            size = 0
        expect("unit", unit, channel["unit"])
        near(channel["name"], size, channel["magnitude"], size / 1000 + 0.001)
        if size:
            turned = (first["angleDeg"] - channel["angleDeg"] - 120 * (i % 4) + 180) % 360 - 180
            near("angle of " + channel["name"], 0, turned, 0.1)
            near("thd of " + channel["name"], 0.05, channel["thd"], 0.0005)
            near("rms of " + channel["name"], size * 1.0025**0.5, channel["rms"], size / 1000)


def sv(path, rate, frequency, *members):
    found = lines(path)
    phasors = of_topic(found, "analyzer/phasors")
    last = of_topic(found, "analyzer/streams")[-1]
    expect("the end", {"frames": last["frames"], "streams": 1, "lost": 0, "malformed": 0},
           of_topic(found, "analyzer/end")[0])
    rate, frequency = int(rate), float(frequency)
    if not phasors:
        sys.exit("FAILED: there are no phasors")
    for line in phasors:
        expect("rate", rate, line["sampleRate"])
        check_channels(line, frequency)
    expect("who it is", ["MU01", "0x4000", "02:00:00:00:00:01", 5, 4, 1, "global"],
           [last[k] for k in ("svID", "appId", "src", "vlanId", "vlanPrio", "confRev", "smpSynch")])
    expect("quality", {"validity": "good", "test": True}, last["quality"][7])
    for member in members:
        name, value = member.split("=")
        expect(name, int(value), last[name])
    for line in of_topic(found, "analyzer/harmonics"):
        expect("orders", list(range(1, len(line["harmonics"]) + 1)),
               [h["order"] for h in line["harmonics"]])
    for line in of_topic(found, "analyzer/waveforms"):
        expect("scales", [0.001] * 4 + [0.01] * 4, [c["scale"] for c in line["channels"]])
    print(len(phasors))


def goose(path):
    on, off = [[value, [12.5, "001", []], 'a"\x1b'] for value in (True, False)]
    expected = [("state", 1, 0, off), ("retransmit", 1, 1, off), ("retransmit", 1, 2, off),
                ("state", 2, 0, on), ("retransmit", 2, 1, on), ("lost", 2, 4, on),
                ("retransmit", 2, 4, on), ("lost", 4, 0, off), ("state", 4, 0, off),
                ("timeout", 4, 0, None), ("retransmit", 4, 1, off)]
    events = of_topic(lines(path), "goose/events")
    for event in events:
        expect("who it is", ["IED1/LLN0$GO$gcb1", "gcb1", "0x1001", "02:00:00:00:00:01", 200],
               [event[k] for k in ("gocbRef", "goID", "appId", "src", "timeAllowedToLive")])
    expect("the end", {"messages": 8, "publishers": 1, "lost": 0, "malformed": 0},
           of_topic(lines(path), "goose/end")[0])
    # Where nothing comes behind the last one, it is missed in the end.
    seen = [(e["change"], e["stNum"], e["sqNum"], e["values"]) for e in events]
    expect("events", expected, seen[:len(expected)])
    expect("what is behind them", [("timeout", 4, 1, None)][:len(seen) - len(expected)],
           seen[len(expected):])
    expect("lost", [2, 1], [e["lost"] for e in events if e["change"] == "lost"])


def peer_goose(path):
    """Of iec61850.py's publisher, with --types."""
    quality = {"leapSecondsKnown": False, "clockFailure": False, "clockNotSynchronized": True,
               "accuracy": 10}
    expected = [
        ("boolean", True),
        ("structure", [{"type": "integer", "value": -1},
                       {"type": "array", "value": [{"type": "unsigned", "value": 1},
                                                   {"type": "unsigned", "value": 2}]},
                       {"type": "structure", "value": []}]),
        ("bit-string", "1000000000000"), ("float", -2.25), ("float", 0.5),
        ("octet-string", "dead"), ("utc-time", "1600000000500000000"), ("integer", -129),
        ("mms-string", "ä")]
    found = [json.loads(line) for line in open(path)]
    expect("the end", {"messages": 8, "publishers": 1, "lost": 0, "malformed": 0},
           of_topic(found, "goose/end")[0])
    events = of_topic(found, "goose/events")
    for number, event in enumerate(events):
        expect("numbers", (1, number), (event["stNum"], event["sqNum"]))
        expect("timeAllowedToLive", 1000, event["timeAllowedToLive"])
        expect("quality of t", quality, event["tQuality"])
        expect("values", expected, [(v["type"], v["value"]) for v in event["values"]])
        expect("bits", 64, event["values"][3]["bits"])
        expect("quality", quality, event["values"][6]["quality"])
    expect("goID", {None, "peer"}, {event["goID"] for event in events})


def peer_sv(path):
    """Of iec61850.py's publisher: each set of optional fields, and numbers of channels."""
    found = [json.loads(line) for line in open(path)]
    expect("the end", {"frames": 50, "streams": 7, "lost": 0, "malformed": 0},
           of_topic(found, "analyzer/end")[0])
    last = {line["stream"]: line for line in of_topic(found, "analyzer/streams")}
    waves = {line["stream"]: line["channels"] for line in of_topic(found, "analyzer/waveforms")}
    for channels in (1, 3, 9, 12, 24, 120):
        name = f"PEER{channels}"
        expect("qualities", channels, len(last[name]["quality"]))
        newest = last[name]["smpCnt"]
        expect("newest values", [1000 * i - newest for i in range(channels)],
               [channel["samples"][-1] for channel in waves[name]])
    expect("lost", (0, 0), (last["PEER4"]["lost"], last["PEER4"]["restarts"]))
    optional = {"datSet": "PEER/LLN0$ds", "refrTm": ["1600000000500000000", 0x20],
                "smpRate": 4800, "smpMod": 1, "gmIdentity": "0030a7fffe000001"}
    sets = itertools.chain.from_iterable(itertools.combinations(optional, n) for n in range(6))
    seen = []
    for line in of_topic(found, "analyzer/streams"):
        if "refrTm" in line:
            line["refrTm"] = [line["refrTm"], line["refrTmQuality"]]
        if line["stream"] == "PEER4":
            seen.append({name: line[name] for name in optional if name in line})
    expect("optional fields", [{name: optional[name] for name in names} for names in sets], seen)


def times(path):
    print(*[int(line["ts"]) // 10**6 for line in lines(path) if line["topic"] == "goose/events"])


if __name__ == "__main__":
    {"sv": sv, "goose": goose, "peer_goose": peer_goose, "peer_sv": peer_sv, "times": times}[sys.argv[1]](*sys.argv[2:])
