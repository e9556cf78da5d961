#!/bin/bash
# The disk of the state file is full for a while: nothing that was acknowledged is lost, the status
# and the log say what is wrong, no other file stays behind, and the file is written when it can be.
. "$(dirname "$0")/lib.sh"

file=$work/disk/state

problem_is() {
    [ "$(status_of state_problem)" = "$1" ]
}

make_topology
mkdir $work/disk
mount -t tmpfs -o size=128k,mode=1777 tmpfs $work/disk
start_daemon --state $file
nb mfc add --group 239.1.0.1 --iif r0 --oifs r1 >/dev/null
within 5 "the file has the first route" grep -q 239.1.0.1 $file
head -c 200000 /dev/zero >$work/disk/filler 2>/dev/null || true
for i in {2..100}; do
    echo "mfc add --group 239.1.0.$i --iif r0 --oifs r1"
done | xargs -L 1 "$build/client/netbroker" >/dev/null
within 5 "the status tells" problem_is "No space left on device"
grep -q "cannot write the state file .*No space left" $work/daemon.log || fail "the log says nothing"
within 5 "no other file stays" sh -c "[ \"\$(ls $work/disk | xargs)\" = 'filler state' ]"
equal "lines of the log" 1 "$(grep -c 'cannot write the state file' $work/daemon.log)"
grep -q 239.1.0.1 $file || fail "the file of before is gone"

rm $work/disk/filler
within 10 "the file is written" problem_is ""
grep -q "is written again" $work/daemon.log || fail "the log does not say so"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
start_daemon --state $file
equal "routes after the kill" 100 "$(status_of mroute.routes)"

# Read-only for a while.
if mount -o remount,ro $work/disk 2>/dev/null; then
    nb mfc add --group 239.1.0.101 --iif r0 --oifs r1 >/dev/null
    within 5 "the status tells" problem_is "Read-only file system"
    mount -o remount,rw $work/disk
    within 10 "the file is written" problem_is ""
fi
stop_daemon
equal "files" state "$(ls $work/disk)"
