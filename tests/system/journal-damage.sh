#!/bin/bash
# The journal is damaged at many places while no broker runs: the next one says where and uses
# nothing of it. What the state file knows is held as before, the other routes stay in force, and no
# packet is lost. See journal_damage.py.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

mkdir $work/disk
mount -t tmpfs -o mode=1777 tmpfs $work/disk
start_history --state $work/disk/state
nb_as member mfc add --source 10.1.0.2 --group 239.1.0.1 --iif r0 --oifs r1
nb_as operator mfc add --source 10.1.0.2 --group 239.1.0.1 --iif r0 --oifs r1
nb_as member mfc add --group 239.1.0.2 --iif r0 --oifs r1,r2
nb_as fourth mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r1
nb_as member mfc add --group 239.3.0.0/16 --iif r0 --oifs r1
nb_as member join add --group 239.1.0.0/29 --iif r0
within 5 "all is in the file" grep -q 239.1.0.0/29 $work/disk/state
mount -o remount,ro $work/disk
nb_as member mfc add --source 10.1.0.2 --group 239.2.0.1 --iif r0 --oifs r1
nb_as member mfc add --source 10.1.0.3 --group 239.2.0.1 --iif r0 --oifs r1,r2 --table 100

declare -A groups=([known]=239.1.0.1 [unknown]=239.2.0.1) senders
for name in known unknown; do
    receive $name receiver1 d1 "${groups[$name]}" 1000000 110
    # shellcheck disable=SC2154 # make_topology makes the sender
    nsenter --target "$sender" --net -- "$build/tests/system/mcsend" s0 "${groups[$name]}" 1000000 \
        1000 8 >$work/$name.sent &
    senders[$name]=$!
done
python3 "$tests/journal_damage.py" $work/daemon.log "${NB_ROUNDS:-50}"
for name in known unknown; do
    kill -TERM "${senders[$name]}"
    wait "${senders[$name]}"
    sleep 0.2 # for the last packets
    stop_receiver $name
    contains "packets of the $name route" "received $(grep -o '[0-9]*' $work/$name.sent) " \
        "$(result $name)"
done
count_restarts
