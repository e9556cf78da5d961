#!/bin/bash
# Tables and findings on a terminal of 80 columns: all that matters of routes of the default tables
# is there, and no line is longer. At 60 columns the packets are. A pipe gets all columns.
. "$(dirname "$0")/lib.sh"

# terminal COLUMNS ARGUMENT...: what the command shows on a terminal.
terminal() {
    python3 - "$build/client/netbroker" "$@" <<'PROGRAM'
import fcntl
import os
import pty
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[2]), 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], *sys.argv[3:]])
seen = b""
try:
    while part := os.read(terminal, 4096):
        seen += part
except OSError:  # that is how its end is told
    pass
os.waitpid(pid, 0)
print(seen.decode().replace("\r\n", "\n"), end="")
PROGRAM
}

# Hints are whole, to be copied.
fits() {
    equal "lines over 80 columns of '$*'" "" "$(terminal 80 "$@" | grep -vE '^ +-> ' | grep -E '.{81}' || true)"
}

make_topology
start_daemon
nb mfc add --group 239.10.0.0/16 --iif r+ --oifs r1,r2 --ttls 1,16
nb mfc add --source fd00:1::2 --group ff05::1:2:3 --iif r0 --oifs r1,r2
send 239.10.20.30 1000

for command in "mfc show" "vif show" show leases "doctor --group 239.10.20.31" --help "mfc add --help"; do
    # shellcheck disable=SC2086 # words of a command
    fits $command
done
equal "headings at 80 columns" "SOURCE GROUP IIF STATE ORIGIN PACKETS OIFS" \
    "$(terminal 80 mfc show | head -n 1 | xargs)"
equal "headings at 200 columns" "SOURCE GROUP IIF TABLE STATE ORIGIN PACKETS BYTES WRONG-IF OIFS" \
    "$(terminal 200 mfc show | head -n 1 | xargs)"
equal "headings in a pipe" "SOURCE GROUP IIF TABLE STATE ORIGIN PACKETS BYTES WRONG-IF OIFS" \
    "$(nb mfc show | head -n 1 | xargs)"
equal "a line at 80 columns" "10.1.0.2 239.10.20.30 r0 installed learned 1000 r1 r2(ttl 16)" \
    "$(terminal 80 mfc show | grep 239.10.20.30 | xargs)"
equal "headings at 60 columns" "SOURCE GROUP IIF PACKETS OIFS" \
    "$(terminal 60 mfc show | head -n 1 | xargs)"
nb mfc add --source 10.2.0.2 --group 239.10.20.31 --iif r0 --oifs r2
send_from receiver1 d1 239.10.20.31 5 # they come in by r1
contains "headings at 200 columns" 5 "$(terminal 200 mfc show | grep 239.10.20.31 | awk '{print $9}')"
contains "headings at 60 columns with packets that came in by a wrong interface" PACKETS \
    "$(terminal 60 mfc show | head -n 1)"
for table in "mfc show" "vif show" leases; do
    read -ra words <<<"$table"
    equal "lines over 60 columns of $table" "" \
        "$(terminal 60 "${words[@]}" | grep -E '.{61}' || true)"
done
equal "headings of VIFs at 60 columns" "VIF INTERFACE FAMILY ROUTES PACKETS-IN PACKETS-OUT" \
    "$(terminal 60 vif show | head -n 1 | xargs)"
nb mfc del --source 10.2.0.2 --group 239.10.20.31
nb mfc add --source 10.1.0.2 --group 239.10.20.30 --iif r0 --oifs r1 --table 100
contains "headings with another table" TABLE "$(terminal 80 mfc show | head -n 1)"

# What was learned is nobody's to delete, and the refusal says what may be done.
status=0
nb mfc del --source 10.1.0.2 --group 239.10.20.30 2>$work/refusal || status=$?
equal "exit status" 1 $status
contains "the refusal" "learned for a route of a range" "$(cat $work/refusal)"
contains "the refusal" "mfc flush --learned" "$(cat $work/refusal)"
