#!/usr/bin/env python3
"""Runs the console blocks of documents, and compares what they print with what the documents say.

    transcript.py [--renew] BUILD DOCUMENT...

Two terminals run bash, as a reader would open them. A line that begins with '# ' is typed into the
first one, which is root in a network namespace of its own; a line that begins with '$ ' is typed
into the second one, except '$ unshare ...', which makes that namespace. The lines below a command
are its output; '^C' alone stands for the key, and a line that begins with '> ' continues the
command. Only blocks whose fence says 'console' are run.

The second terminal must print what the document says, apart from what differs in each run
(VARYING). The log of the service comes to the first one at any time. There the document's lines
must come in their order, and others may come between them.

--renew writes what was printed into the document instead.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time

PROMPT = "<your turn>"
SECONDS = 20
COLOUR = r"\x1b\[[0-9;]*m"  # of ip(8) in Debian 13, on any terminal
VARYING = [
    (r"\s+", " "),  # columns are as wide as what stands in them
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "DATE"),
    (r"\b\d\d:\d\d:\d\d\.\d+", "TIME"),
    (r"\b[0-9a-f]{12}\b", "LEASE"),
    (r"\b(?=\d*[a-f])[0-9a-f]{16}\b|\b0{16}\b", "BITS"),
    (r"netbrokerd\[\d+\]", "netbrokerd[PID]"),
    (r"\b\d+(\.\d+)? (frames/s|us|ms|s)\b", "NUMBER UNIT"),
    (r"\b\d+\.\d+ asked\b", "NUMBER asked"),
    (r"\b\d+ (times|frames more than)\b", r"NUMBER \1"),
    (r"\b(pid|uptime_seconds|sandbox|missing|version): .*", r"\1: ..."),
]


def normal(line):
    line = line.strip()
    for pattern, replacement in VARYING:
        line = re.sub(pattern, replacement, line)
    return line


def is_same(expected, printed):
    return [*map(normal, filter(None, expected))] == [*map(normal, filter(None, printed))]


class Step:
    """A command, what the document says that it prints, and from which line of the document on."""

    def __init__(self, prompt, command, first):
        self.prompt, self.command, self.first, self.expected = prompt, command, first, []


def steps_of(lines):
    steps, inside = [], False
    for number, line in enumerate(lines):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line[:2] in ("$ ", "# "):
            steps.append(Step(line[0], line[2:], number + 1))
        elif inside and line[:2] == "> ":
            steps[-1].command += "\n" + line[2:]
            steps[-1].first = number + 1
        elif inside:
            steps[-1].expected.append(line)
    return steps


class Terminal:
    """bash on a terminal of 100 columns that does not echo."""

    def __init__(self, folder):
        self.session, self.fd = pty.fork()
        if self.session == 0:  # before bash looks at the terminal, and restores what it saw
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 50, 100, 0, 0))
            modes = termios.tcgetattr(0)
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, modes)
            os.chdir(folder)
            os.environ.update(PROMPT_COMMAND=f"PS1='{PROMPT}' PS2=", TERM="dumb", LC_ALL="C.UTF-8",
                              HOME=folder)
            os.environ["PATH"] += ":/usr/sbin:/sbin"
            os.execlp("bash", "bash", "--norc", "--noprofile")
        self.folder, self.seen = folder, ""
        self.output()

    def wait(self, pattern):
        """What is printed up to the pattern, for which it waits."""
        end = time.monotonic() + SECONDS
        while not (match := re.search(pattern, self.seen)):
            if time.monotonic() > end:
                raise TimeoutError(f"no '{pattern}' in '{self.seen}'")
            if select.select([self.fd], [], [], 0.2)[0]:
                self.seen += os.read(self.fd, 65536).decode(errors="replace").replace("\r\n", "\n")
                self.seen = re.sub(COLOUR, "", self.seen).replace(f"{self.folder}/", "/tmp/")
        before, self.seen = self.seen[: match.start()], self.seen[match.end() :]
        return before

    def output(self):
        return self.wait(re.escape(PROMPT)).splitlines()

    def type(self, text):
        os.write(self.fd, text.replace("/tmp/", f"{self.folder}/").encode())

    def end(self):
        """Ends what was started here: all processes of the terminal's session."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                    if int(stat.read().rsplit(")", 1)[1].split()[3]) == self.session:
                        os.kill(int(name), signal.SIGKILL)
            except OSError:
                pass
        os.close(self.fd)
        os.waitpid(self.session, 0)


def run_in_second(terminal, step):
    """What the command prints, job numbers ("[1] 4711") left out."""
    terminal.type(step.command + "\n")
    printed = []
    if "^C" in step.expected:
        before = step.expected[: step.expected.index("^C")]
        printed = terminal.wait(re.escape(before[-1]) + r"\n").splitlines() + before[-1:] + ["^C"]
        terminal.type("\x03")
    printed += terminal.output()
    return [line.rstrip() for line in printed if not re.match(r"\[\d+\]", line)]


def run_in_first(terminal, step):
    """The document's lines where all of them come, or else the log that came."""
    terminal.type(step.command + "\n")
    # Either may come first, the prompt or the log.
    terminal.seen = "\n".join(terminal.output()) + "\n" + terminal.seen
    seen = terminal.seen
    try:
        for line in step.expected:
            pattern = re.escape(normal(line)).replace(r"\[PID\]", r"\[\d+\]").replace(r"\ ", r"\s+")
            terminal.wait(pattern)
    except TimeoutError:
        return [line for line in seen.splitlines() if line.startswith("netbrokerd[")]
    return step.expected


def run(build, document, renew):
    with open(document, encoding="utf-8") as file:
        lines = file.read().split("\n")
    steps, mistakes = steps_of(lines), 0
    with tempfile.TemporaryDirectory(prefix="netbroker-") as folder:
        os.symlink(build, f"{folder}/build")
        first, second = Terminal(folder), Terminal(folder)
        try:
            for step in steps:
                in_first = step.prompt == "#" or step.command.startswith("unshare")
                if in_first:
                    step.printed = run_in_first(first, step)
                else:
                    step.printed = run_in_second(second, step)
                if not is_same(step.expected, step.printed):
                    mistakes += 1
                    if not renew:
                        print(f"{document}:{step.first}: {step.command}", "- is said to print:",
                              *step.expected, "+ printed:", *step.printed, sep="\n")
        finally:
            first.end()
            second.end()
    if renew:
        for step in reversed(steps):
            if not is_same(step.expected, step.printed):
                lines[step.first : step.first + len(step.expected)] = step.printed
        with open(document, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        return 0
    print(f"{document}: {len(steps)} commands, {mistakes} of them print something else")
    return mistakes


def main(arguments):
    renew = arguments[:1] == ["--renew"]
    build, *documents = arguments[renew:]
    return 1 if sum(run(os.path.abspath(build), name, renew) for name in documents) else 0


sys.exit(main(sys.argv[1:]))
