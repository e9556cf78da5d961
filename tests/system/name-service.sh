#!/bin/bash
# Users whom only a name service with a socket knows: the broker connects to none, and asks a process
# that may. That one has no privileges and no descriptors, and ends with the broker.
. "$(dirname "$0")/lib.sh"

need_root "to have a name service of its own"
# nscd(8) is asked by each program of the C library, where it is there.
mkdir -p /run/nscd /var/run/nscd
python3 "$tests/nscd.py" /run/nscd/socket &
within 5 "a name service" test -S /run/nscd/socket
id -u far-away >/dev/null 2>&1 || skip "the C library asks no such name service"

mkdir -m 755 $work/etc
cat >$work/etc/policy.conf <<END
[allow who is far away]
user = far-away
group = far-group
verbs = *
END
start_daemon --policy $work/etc/policy.conf
equal "mistakes of the policy" "[]" "$(status_of mistakes)"
grep -q "policy read: 1 rules" $work/daemon.log || fail "the policy was not read"
: >$work/daemon.log
kill -HUP "$daemon"
within 5 "a reload" grep -q "policy read: 1 rules" $work/daemon.log

broker=$(status_of broker.pid)
names=$(pgrep -P "$broker")
equal "its name" netbroker-names "$(cat "/proc/$names/comm")"
equal "its capabilities" "0000000000000000" "$(awk '/^CapEff/ { print $2 }' "/proc/$names/status")"
equal "its descriptors" "0 1 2 3" "$(echo "/proc/$names/fd/"* | sed "s|/proc/$names/fd/||g")"
kill -KILL "$broker"
restarts_expected=1
within 5 "it ends with the broker" [ ! -e "/proc/$names" ]
within 10 "another broker" nb ping
equal "mistakes of the policy, of the next broker" "[]" "$(status_of mistakes)"
