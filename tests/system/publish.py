"""What comes of `sv publish` and `goose publish`.

    publish.py status FILE ID SENT          the report, a line of JSON
    publish.py running FILE LEAST           its lines, once a second
    publish.py clock FILE SMPSYNCH          the report of --smp-synch auto
    publish.py refr_tm FILE START RATE      smpCnt and refrTm, by the peer
    publish.py flaws FILE DROPPED TWICE     the report of a stream that does wrong
    publish.py losses FILE SAMPLES LOST REPEATED
    publish.py phasors FILE FREQUENCY RATE SAMPLES AMPS ANGLE VOLTS ANGLE
                                            lines of `sv subscribe --json`
    publish.py networks FILE                channels of I8U3
    publish.py frequency FILE HZ            the last phasors
    publish.py fault FILE BEFORE IN         the current of phase a
    publish.py quality FILE NUMBER VALIDITY BIT
    publish.py named FILE                   channels of the recording in another order
    publish.py grid FILE RATE               times of frames of 6 samples, by tshark
    publish.py comtrade STEM HZ             writes a recording of two rates: 1 s
    publish.py goose FILE                   stNum, sqNum and times, by tshark
    publish.py states FILE                  stNum and values, each once
"""
import json
import math
import subprocess
import sys

ANGLES = [0, -120, 120, 0]


def expect(what, expected, seen):
    if expected != seen:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


def near(what, expected, seen, by):
    if abs(expected - seen) > by:
        sys.exit(f"FAILED: {what}: expected {expected!r}, saw {seen!r}")


def of_topic(path, topic):
    return [line["data"] for line in map(json.loads, open(path)) if line["topic"] == topic]


def turned(angle):
    return (angle + 180) % 360 - 180


def status(path, name, sent):
    lines = [json.loads(line) for line in open(path)]
    for line in lines:
        expect("members", ["topic", "ts", "data"], list(line))
        expect("topic", "stream/status", line["topic"])
    for line in lines[:-1]:
        expect("status until then", "running", line["data"]["status"])
    data = lines[-1]["data"]
    expect("id", name, data["id"])
    expect("status", "completed", data["status"])
    expect("sent", int(sent), data["sent"])
    expect("skipped", 0, data["skipped"])
    expect("reason", "", data["reason"])
    for member in ("late", "p50", "p99", "p99.9", "max", "stalls", "stalled"):
        int(data[member])


def running(path, least):
    """Lines of a stream while it ran, once a second."""
    lines = [json.loads(line) for line in open(path)]
    expect("status", {"running"}, {line["data"]["status"] for line in lines[:-1]})
    if len(lines) <= int(least):
        sys.exit(f"FAILED: only {len(lines)} lines")
    sent = [line["data"]["sent"] for line in lines]
    expect("what was sent grows", sorted(sent), sent)
    times = [int(line["ts"]) for line in lines[:-1]]
    if any(later - sooner < 0.9e9 for sooner, later in zip(times, times[1:])):
        sys.exit(f"FAILED: more than one line in a second: {times}")


def clock(path, synch):
    """smpSynch is what the system says of its clock."""
    data = json.loads(open(path).read().splitlines()[-1])["data"]
    known = data["clock"]
    expect("it tells", True, known["known"])
    expect("smpSynch", "local" if known["synchronized"] else "none", data["smpSynch"])
    expect("that of the frames", {"none": "0", "local": "1"}[data["smpSynch"]], synch)
    expect("by whom", True, known["source"] in ("pulse", "unknown"))


def refr_tm(path, start, rate):
    """Lines of the peer: smpCnt and refrTm, which is the time of the sample."""
    for line in open(path):
        count, (time, quality) = [json.loads(part) for part in line.split(" ", 1)]
        near("refrTm", int(start) * 10**6 + count * 10**9 // int(rate), time, 61)
        expect("its quality", 0x20 | 20, quality)


def flaws(path, dropped, duplicated):
    data = json.loads(open(path).read().splitlines()[-1])["data"]
    expect("dropped and duplicated", (int(dropped), int(duplicated)),
           (data["dropped"], data["duplicated"]))
    expect("status", "completed", data["status"])


def losses(path, samples, lost, repeated):
    stream = of_topic(path, "analyzer/streams")[-1]
    expect("samples, lost and repeated", (int(samples), int(lost), int(repeated)),
           (stream["samples"], stream["lost"], stream["repeated"]))


def phasors(path, frequency, rate, samples, amps, amps_angle, volts, volts_angle):
    stream = of_topic(path, "analyzer/streams")[-1]
    expect("samples", int(samples), stream["samples"])
    expect("lost and repeated", (0, 0), (stream["lost"], stream["repeated"]))
    expect("rate", int(rate), stream["sampleRate"])
    found = of_topic(path, "analyzer/phasors")
    if len(found) < 10:
        sys.exit(f"FAILED: only {len(found)} phasors")
    for line in found:
        near("frequency", float(frequency), line["frequency"], 0.01)
        for i, channel in enumerate(line["channels"]):
            size, angle = ((amps, amps_angle), (volts, volts_angle))[i // 4]
            size = 0 if i % 4 == 3 else float(size)
            near(channel["name"], size, channel["magnitude"], size / 1000 + 0.02)
            if size:
                near(channel["name"] + "'s angle", 0,
                     turned(channel["angleDeg"] - float(angle) - ANGLES[i % 4]), 0.1)


def networks(path):
    """I8U3: two of currents, of which one phase is apart, and voltages without a neutral."""
    stream = of_topic(path, "analyzer/streams")[-1]
    expect("smpRate", (4800, 1), (stream["smpRate"], stream["smpMod"]))
    found = of_topic(path, "analyzer/phasors")[-1]["channels"]
    expect("channels", ["I1a", "I1b", "I1c", "I1n", "I2a", "I2b", "I2c", "I2n", "Va", "Vb", "Vc"],
           [channel["name"] for channel in found])
    expect("units", ["A"] * 8 + ["V"] * 3, [channel["unit"] for channel in found])
    for channel, size in zip(found, [200, 200, 200, 0, 200, 50, 200, None, 1000, 1000, 1000]):
        if size is not None:
            near(channel["name"], size, channel["magnitude"], size / 1000 + 0.02)
    near("a neutral", 10, found[0]["angleDeg"], 0.1)
    near("a phase apart", 90, found[5]["angleDeg"], 0.1)


def frequency_is(path, frequency):
    line = of_topic(path, "analyzer/phasors")[-1]
    near("frequency", float(frequency), line["frequency"], 0.001)
    sizes = [200, 200, 50]
    for channel, size in zip(line["channels"], sizes):
        near(channel["name"], size, channel["magnitude"], size / 1000)


def fault(path, before, during):
    sizes = [line["channels"][0]["magnitude"] for line in of_topic(path, "analyzer/phasors")]
    near("before", float(before), sizes[0], 0.1)
    near("in the fault", float(during), sizes[-1], 0.9)
    share = sum(size < 300 for size in sizes) / len(sizes)
    near("when it began", 0.4, share, 0.1)


def quality(path, channel, validity, bit):
    seen = of_topic(path, "analyzer/streams")[-1]
    expect("quality", {"validity": validity, bit: True}, seen["quality"][int(channel)])
    expect("another one", {"validity": "good"}, seen["quality"][0])
    expect("simulated", True, seen["simulated"])
    expect("confRev", 7, seen["confRev"])
    expect("smpSynch", "global", seen["smpSynch"])


def named(path):
    channels = of_topic(path, "analyzer/phasors")[-1]["channels"]
    near("phase c in the place of Ic", 120, channels[2]["magnitude"], 0.12)
    near("its angle", 120, channels[2]["angleDeg"], 0.1)
    near("none", 0, channels[1]["magnitude"], 0.01)


def tshark(path, *fields):
    command = ["tshark", "-r", path, "-T", "fields", "-E", "separator=|"]
    for field in fields:
        command += ["-e", field]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("|") for line in text.splitlines()]


def grid(path, rate):
    """Frames leave when they are due; a busy machine lets some be late, and none is early."""
    times = [line[0].split(".") for line in tshark(path, "frame.time_epoch")]
    begin = int(times[0][0])
    behind = [int(second) - begin + int(fraction.ljust(9, "0")) / 1e9 - (6 * i + 5) / rate
              for i, (second, fraction) in enumerate(times)]
    if min(behind) < -1e-6:
        sys.exit(f"FAILED: a frame is {min(behind)} s early")
    near("the frame that is nearest to the grid", 0, min(behind), 0.02)


def comtrade(stem, frequency):
    """0.5 s at 6400 samples a second, and 0.5 s at 4000: what the cubic has is the same wave."""
    rows, time = [], 0.0
    for count, rate in ((3200, 6400), (2000, 4000)):
        for _ in range(count):
            row = []
            for size, scale in ((120, 0.01), (64, 0.005)):
                for angle in ANGLES[:3]:
                    turn = 2 * math.pi * frequency * time + math.radians(angle)
                    row.append(round(size * math.sqrt(2) * math.cos(turn) / scale))
            rows.append(row)
            time += 1 / rate
    channels = [(f"{kind}{phase}", phase, "A" if kind == "I" else "kV", scale)
                for kind, scale in (("I", 0.01), ("V", 0.005)) for phase in "ABC"]
    with open(stem + ".cfg", "w") as file:
        file.write("STATION,1,1999\r\n6,6A,0D\r\n")
        for i, (name, phase, unit, scale) in enumerate(channels):
            file.write(f"{i + 1},{name},{phase},,{unit},{scale},0,0,-99999,99999,1,1,P\r\n")
        file.write(f"{frequency}\r\n2\r\n6400,3200\r\n4000,5200\r\n"
                   "01/01/2020,00:00:00.000000\r\n01/01/2020,00:00:00.000000\r\nASCII\r\n1\r\n")
    with open(stem + ".dat", "w") as file:
        for i, row in enumerate(rows):
            file.write(",".join(map(str, [i + 1, ""] + row)) + "\r\n")


def goose(path):
    rows = tshark(path, "frame.time_epoch", "goose.stNum", "goose.sqNum",
                  "goose.timeAllowedtoLive")
    numbers = [tuple(map(int, row[1:3])) for row in rows]
    expect("numbers", [(1, i) for i in range(5)] + [(2, i) for i in range(3)] +
           [(3, i) for i in range(4)], numbers)
    expect("lives", [20, 40, 80, 160, 160, 20, 40, 80, 20, 40, 80, 160],
           [int(row[3]) for row in rows])
    times = [float(row[0]) for row in rows]
    due = [0, 10, 30, 70, 150, 200, 210, 230, 250, 260, 280, 320]
    start = min(time - ms / 1000 for time, ms in zip(times, due))  # any of them may be late
    for i, ms in enumerate(due):
        near(f"when message {i} came", ms / 1000, times[i] - start, 0.2)


def states(path):
    seen = []
    for row in tshark(path, "goose.stNum", "goose.boolean", "goose.integer", "goose.bit_string"):
        truth = {"1": "true", "0": "false"}.get(row[1], row[1].lower())
        bits = f"{int(row[3], 16) >> 4:04b}"
        line = f"{row[0]} {truth} {row[2]} {bits}"
        if line not in seen:
            seen.append(line)
    print("\n".join(seen))


if __name__ == "__main__":
    {"status": status, "running": running, "clock": clock, "refr_tm": refr_tm, "flaws": flaws,
     "losses": losses, "networks": networks, "phasors": phasors, "frequency": frequency_is, "fault": fault,
     "quality": quality, "named": named, "grid": lambda path, rate: grid(path, float(rate)),
     "comtrade": lambda stem, hz: comtrade(stem, float(hz)), "goose": goose,
     "states": states}[sys.argv[1]](*sys.argv[2:])
