#!/bin/bash
# What can be done with each descriptor that the broker gets from the keeper: by the broker in its
# cage, and by a process without privileges that has it and that nothing else confines. The table of
# docs/threats.md says so, and this test prints where it is wrong.
. "$(dirname "$0")/lib.sh"

# table: the lines of the document, as the program prints them with both words
table() {
    sed -n '/^| descriptor |/,/^$/p' "$tests/../../docs/threats.md" | sed '1,2d; /^$/d' |
        awk -F ' *[|] *' '{ print $2 " | " $3 " | " $4 " | " $5 }'
}

# hold free|broker: prints what it can do.
hold() {
    "${as_daemon[@]}" "$build/tests/system/holders" "$1" $socket $work/state $work/elsewhere \
        2>>$work/daemon.log
}

grep -q '^NB_SANITIZE:STRING=.' "$build/CMakeCache.txt" && skip "this build has no seccomp"
export NOTIFY_SOCKET=$work/manager
mkdir -m 1777 $work/elsewhere
calm_kernel
new_namespace sender
connect 0 sender s0
inside sender python3 "$tests/holders.py" $socket $NOTIFY_SOCKET >$work/ready &
within 10 "somebody sends" grep -q ready $work/ready

without=nothing
(need_tun) || without='tap '

hold free >$work/free
rm -rf $work/state/* $work/elsewhere/* $socket
hold broker >$work/broker
grep -q "^missing: $" $work/broker || skip "not all of the cage: $(grep ^missing $work/broker)"
paste -d '~' <(grep ' | ' $work/free) <(grep ' | ' $work/broker) |
    awk -F '~' '{ split($2, parts, " [|] "); print $1 " | " parts[3] }' | grep -v "^$without" >$work/seen
table | grep -v "^$without" >$work/table
diff --label docs/threats.md $work/table --label seen $work/seen ||
    fail "a holder can do more, or less"
