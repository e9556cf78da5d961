#!/bin/bash
# The disk of the state file is full, then read-only, while a random history goes on and the broker
# is killed: nothing that was acknowledged is lost, the status says what is wrong, and when the file
# can be written again, all of the service may be killed. No other file is left.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

disk=$work/disk

problem_is() {
    [ "$(status_of state_problem)" = "$1" ]
}

# some_history: some requests and kills.
some_history() {
    history run --requests $((requests / 10)) --kills 8 --flights 5
}

# in_trouble WHAT PROBLEM: a history while the file cannot be written.
in_trouble() {
    nb mfc add --source 10.1.0.2 --group 239.99.0.1 --iif r0 --oifs r1 >/dev/null
    nb mfc del --source 10.1.0.2 --group 239.99.0.1 >/dev/null
    within 10 "the status tells that the disk is $1" problem_is "$2"
    some_history
    within 10 "the status tells again that the disk is $1" problem_is "$2"
}

# all_is_well: the file is written, and with it the service may be killed.
all_is_well() {
    within 10 "the file is written" problem_is ""
    equal "files" state "$(ls $disk)"
    broker=$(status_of broker.pid)
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null || true
    within 5 "the broker ends" test ! -e "/proc/$broker"
    start_daemon "${settings[@]}"
    chmod 666 $socket
    history check
}

mkdir $disk
mount -t tmpfs -o size=256k,mode=1777 tmpfs $disk
start_history --state $disk/state
some_history
within 10 "the file is written" problem_is ""
head -c 1000000 /dev/zero >$disk/filler 2>/dev/null || true
in_trouble full "No space left on device"
equal "files on the full disk" "filler, state" "$(ls -m $disk)"
rm $disk/filler
all_is_well

some_history
mount -o remount,ro $disk
in_trouble read-only "Read-only file system"
mount -o remount,rw $disk
all_is_well
some_history
check_full_restart
equal "files" state "$(ls $disk)"
count_restarts
