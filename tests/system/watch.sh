#!/bin/bash
# 'mfc show --watch' shows what counters grow by: true rates, one table or object after the other in
# a pipe, redrawn on a terminal, until somebody has enough of it.
. "$(dirname "$0")/lib.sh"

# readings FILE: JSON objects, one a line; asserts on the rates of (10.1.0.2, 239.1.1.1).
check_rates() {
    python3 - "$1" <<'END'
import json
import sys

readings = [json.loads(line)["mfc_rules"] for line in open(sys.argv[1])]
rates = []
for routes in readings:
    for route in routes:
        if route["group"] == "239.1.1.1":
            rates.append((route["packets_per_second"], route["bytes_per_second"]))
assert len(readings) >= 5, readings
assert rates[0] == (None, None), rates[0]  # nothing to compare with
busy = [rate for rate in rates if rate[0] and rate[0] > 300]
assert busy, rates
packets, size = busy[len(busy) // 2]
assert 350 < packets < 650, rates  # 500 are sent a second
assert 20 * packets < size < 2000 * packets, rates
for routes in readings:  # the one that stands still
    for route in routes:
        if route["group"] == "239.1.1.2":
            assert route["packets_per_second"] in (None, 0), route
END
}

make_topology
start_daemon
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1 >/dev/null

# Rates of real traffic, of routes that come, go and begin anew meanwhile.
send 239.1.1.1 2000 500 &
sender_pid=$!
timeout 3.3 "$build/client/netbroker" --json mfc show --watch 0.5 >$work/rates &
watcher=$!
sleep 1
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1 >/dev/null
sleep 1.2
nb mfc del --source 10.1.0.2 --group 239.1.1.2 >/dev/null
status=0
wait $watcher || status=$?
check_rates $work/rates
wait $sender_pid
nb mfc del --source 10.1.0.2 --group 239.1.1.1 >/dev/null
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1 >/dev/null

# In a pipe: tables with a blank line between them, and no escape codes.
nb mfc show --watch 0.1 --group 239.1.1.1 | head -n 5 >$work/tables || true
equal "lines of two tables" "SOURCE 10.1.0.2  SOURCE 10.1.0.2 " \
    "$(cut -d ' ' -f 1 $work/tables | tr '\n' ' ')"
contains "a rate" " 0.0 " "$(tail -n 1 $work/tables)"
! grep -q $'\033' $work/tables || fail "escape codes in a pipe"
nb vif show --watch=0.1 | head -n 6 >$work/vifs || true
contains "VIFs' rates" "PACKETS-OUT/S" "$(head -n 1 $work/vifs)"

# It ends by SIGINT, with what was written whole, and when nobody reads.
"$build/client/netbroker" --json mfc show --watch 0.1 >$work/ended &
watcher=$!
within 5 "some readings" test -s $work/ended
kill -INT $watcher
status=0
wait $watcher || status=$?
[ $status = 0 ] || [ $status = 130 ] || fail "exit status $status"
python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' $work/ended
python3 - "$build/client/netbroker" <<'END'
import subprocess
import sys

for restore in (True, False):  # SIGPIPE kills, or is ignored
    with subprocess.Popen([sys.argv[1], "mfc", "show", "--watch", "0.1"], stdout=subprocess.PIPE,
                          restore_signals=restore) as watcher:
        watcher.stdout.readline()
        watcher.stdout.close()
        assert watcher.wait(timeout=10) in ((-13,) if restore else (1,)), watcher.returncode
END

# The broker's death is bridged; the end of the service is told.
"$build/client/netbroker" mfc show --watch 0.1 >$work/bridged 2>$work/told &
watcher=$!
within 5 "a reading" test -s $work/bridged
kill -KILL "$(status_of broker.pid)"
within 10 "another broker" nb ping
restarts_expected=1
sleep 0.5
[ -e /proc/$watcher ] || fail "it ended with the broker: $(cat $work/told)"

# On a terminal it is redrawn, and keeps within the screen.
for i in {1..40}; do
    nb mfc add --source 10.1.0.2 --group "239.1.2.$i" --iif r0 --oifs r1 >/dev/null
done
python3 - "$build/client/netbroker" <<'END'
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time

pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "mfc", "show", "--watch", "0.2"])
seen, end = b"", time.monotonic() + 10
while seen.count(b"\033[H\033[J") < 4 and time.monotonic() < end:
    seen += os.read(terminal, 65536)
os.write(terminal, b"\003")  # Ctrl-C
assert os.waitpid(pid, 0)[1] == 0
frame = seen.split(b"\033[H\033[J")[2].decode().split("\r\n")
assert len(frame) <= 24, frame
assert all(len(line) <= 80 for line in frame), frame
assert frame[0].startswith("mfc show, every 0.2 s, at "), frame
assert frame[-2].startswith("... and "), frame
END

stop_daemon
status=0
wait $watcher || status=$?
equal "exit status without a service" 3 $status
contains "the reason" "cannot reach" "$(cat $work/told)"
