#!/bin/bash
# Both halves are confined by no_new_privs, Landlock and seccomp, in every thread; the service says
# what is in force; with --require-sandbox it starts here, and not where a part is missing.
. "$(dirname "$0")/lib.sh"

mode=2 # of seccomp: a filter
grep -q '^NB_SANITIZE:STRING=.' "$build/CMakeCache.txt" && mode=0

# thread_is FILE CAPABILITIES
thread_is() {
    local seen

    seen=$(awk '/^(CapPrm|CapEff|NoNewPrivs|Seccomp):/ { print $2 }' "$1" | xargs)
    equal "CapPrm, CapEff, NoNewPrivs, Seccomp of $1" "$2 $2 1 $mode" "$seen"
}

# process_is PID CAPABILITIES
process_is() {
    local status

    for status in "/proc/$1/task/"*/status; do
        thread_is "$status" "$2"
    done
}

# confined HALF [FENCE]: tries from inside what must and what must not work, as if the kernel had not
# this fence.
confined() {
    local name=$1${2:-}

    mkdir "$work/$name" "$work/$name.socket"
    touch "$work/$name.socket/socket"
    "${as_daemon[@]}" "$build/tests/system/sandboxed" "$1" "$work/$name" "$work/$name.socket" \
        ${2:+"$2"} >"$work/$name.out" || fail "the $1${2:+ without $2}: $(cat "$work/$name.out")"
}

# misses HALF FENCE WORDS LEVEL
misses() {
    confined "$1" "$2"
    contains "what the $1 misses" "$3" "$(grep ^missing "$work/$1$2.out")"
    [ $mode = 0 ] || equal "the level of the $1's cage" "level: $4" "$(tail -n 1 "$work/$1$2.out")"
}

confined keeper
confined broker
confined lender # a broker whose actions lend descriptors
for half in keeper broker lender; do
    contains "what confines the $half" landlock "$(cat "$work/$half.out")"
done
for half in keeper broker; do
    misses $half scopes "scopes of signals and sockets" 1
    misses $half landlock "landlock (" 0
    misses $half seccomp "seccomp (" 0
done
misses keeper passing "the refusal of clients' descriptors" 1

# On a kernel without Landlock it does not start where it must be confined.
status=0
"${as_daemon[@]}" timeout 20 "$build/tests/system/without" 444 "$build/daemon/netbrokerd" --foreground \
    --socket $socket --require-sandbox 2>$work/refusal || status=$?
equal "exit status without Landlock" 1 $status
contains "the reason" "without landlock" "$(cat $work/refusal)"

if [ $mode = 0 ]; then
    status=0
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground --socket $socket --require-sandbox \
        2>$work/refusal || status=$?
    equal "exit status without seccomp" 1 $status
    contains "the reason" "without seccomp" "$(cat $work/refusal)"
    start_daemon --state $work/state/routes
else
    level=basic
    grep -qx "missing: " $work/keeper.out && level=full # this kernel has all
    start_daemon --state $work/state/routes --require-sandbox=$level
    for half in keeper broker; do
        contains "the $half's cage" seccomp "$(status_of $half.sandbox)"
    done
    contains "the cage of a broker that lends taps" \
        " $(grep -o 'seccomp-[0-9]*' $work/lender.out) " " $(status_of broker.sandbox) "
fi
for half in keeper broker; do
    contains "the $half's cage" "no_new_privs landlock" "$(status_of $half.sandbox)"
done
[ $mode = 0 ] ||
    equal "what the keeper misses" "$(sed -n 's/^missing: //p' $work/keeper.out)" "$(status_of keeper.missing)"

nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null # the state file brings threads
within 5 "the state file" test -s $work/state/routes
broker=$(status_of broker.pid)
[ "$(find "/proc/$broker/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 1 ] ||
    fail "the broker has no other threads yet"
process_is "$(status_of keeper.pid)" 0000000000003000
process_is "$broker" 0000000000000000

# Another broker is confined as well, and finds the same.
kill -KILL "$broker"
restarts_expected=1
within 10 "another broker" nb ping
process_is "$(status_of broker.pid)" 0000000000000000
equal "routes of the next broker" 1 "$(status_of mroute.routes)"
stop_daemon
restarts_expected=0

# The keeper opens no table that the configuration does not name.
printf '[service]\ntables = default, 100-199\n' >$work/netbrokerd.conf
start_daemon --config $work/netbrokerd.conf
nb mfc add --group 239.1.1.1 --iif lo --oifs lo --table 150 >/dev/null
refused unsupported '{"action": "ADD_MFC", "payload": {"group": "239.1.1.1", "iif": "lo",
    "oifs": ["lo"], "table": 200}}'

# A file that an editor replaced is read again.
printf '[service]\nlog-level = bad\n' >$work/new
mv $work/new $work/netbrokerd.conf
kill -HUP "$daemon"
within 5 "the mistake in the log" grep -q 'netbrokerd.conf:2' $work/daemon.log
