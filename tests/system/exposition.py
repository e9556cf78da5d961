"""Reads Prometheus' text format, version 0.0.4, strictly, and prints the samples sorted.

usage: exposition.py [NAME{LABEL="VALUE",...}]   reads standard input; with a sample's name and
labels, prints only its value. Ends with 1 and says why where the text is not in the format: each
metric has one HELP and one TYPE line before its samples, which stand together; each series comes
once; counters, and only they, end in _total, and are whole numbers; the text is UTF-8 and ends with
a newline."""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9]+(?:\.[0-9]+)?)\Z")


class Reader:
    def __init__(self):
        self.helped = set()
        self.types = {}
        self.series = {}
        self.metric = None

    def fail(self, line, why):
        sys.exit(f"{why}: {line!r}")

    def comment(self, line):
        kind, name, rest = (line[2:].split(" ", 2) + ["", ""])[:3]
        if not re.fullmatch(NAME, name) or not rest:
            self.fail(line, "no name or no text")
        if kind == "HELP":
            if name in self.helped:
                self.fail(line, "a second HELP")
            self.helped.add(name)
        elif kind == "TYPE":
            if name in self.types or name not in self.helped:
                self.fail(line, "a second TYPE, or one without HELP")
            if rest not in ("counter", "gauge"):
                self.fail(line, "an unknown type")
            if (rest == "counter") != name.endswith("_total"):
                self.fail(line, "counters end in _total")
            self.types[name] = rest
            self.metric = name
        else:
            self.fail(line, "a comment that is neither HELP nor TYPE")

    def sample(self, line):
        match = SAMPLE.match(line)
        if not match:
            self.fail(line, "no sample")
        name, labels = match[1], re.findall(LABEL, match[2] or "")
        if name != self.metric:
            self.fail(line, "a sample that stands away from its TYPE")
        if len({key for key, _ in labels}) != len(labels):
            self.fail(line, "a label twice")
        series = (name, tuple(sorted(labels)))
        if series in self.series:
            self.fail(line, "a series twice")
        value = match[match.lastindex]
        if name.endswith("_total") and "." in value:
            self.fail(line, "a counter that is no whole number")
        self.series[series] = value if "." in value else int(value)

    def read(self, text):
        if not text.endswith("\n"):
            sys.exit("the last line has no end")
        for line in text[:-1].split("\n"):
            if line.startswith("# "):
                self.comment(line)
            else:
                self.sample(line)


def main():
    reader = Reader()
    reader.read(sys.stdin.buffer.read().decode("utf-8", "strict"))
    if len(sys.argv) > 1:
        match = SAMPLE.match(sys.argv[1] + " 0")
        series = (match[1], tuple(sorted(re.findall(LABEL, match[2] or ""))))
        print(reader.series.get(series, "none"))
        return
    for (name, labels), value in sorted(reader.series.items()):
        print(name, *(f"{key}={value}" for key, value in labels), value)


main()
