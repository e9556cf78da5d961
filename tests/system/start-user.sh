#!/bin/bash
# What the service is at its start: no user that others are as well, and no descriptor that is closed.
. "$(dirname "$0")/lib.sh"

need_root "to start the service as root"

# refused_start WHY OPTION...
refused_start() {
    local status=0

    timeout 10 "$build/daemon/netbrokerd" --foreground --socket $socket "${@:2}" 2>$work/refusal ||
        status=$?
    equal "exit status ($1)" 1 $status
    contains "the reason" "$1" "$(cat $work/refusal)"
    [ ! -e $socket ] || rm $socket
}

refused_start "there is no user 'no-such-user' to run as; make it" --user no-such-user
sed '/^netbroker:/d' /etc/passwd >$work/no-user
chmod 644 $work/no-user
mount --bind $work/no-user /etc/passwd
refused_start "there is no user 'netbroker' to run as; make it"
start_daemon --user nobody # who says so
equal "the keeper's user" 65534 "$(stat -c %u "/proc/$(status_of keeper.pid)/task")"
stop_daemon

# In a user namespace of root alone there is nobody else.
# shellcheck disable=SC2016 # the inner shell's
unshare --user --map-root-user --net bash -c '"$1" --foreground --socket "$2" 2>"$3" &
    for ((i = 0; i < 500; i++)); do
        ! "$4" ping >/dev/null 2>&1 || break
        sleep 0.02
    done
    "$4" ping >/dev/null; status=$?
    kill -TERM $!
    wait $! && exit $status' - "$build/daemon/netbrokerd" $socket $work/alone "$build/client/netbroker" ||
    fail "a service of root alone"
contains "the log" "no user but root" "$(cat $work/alone)"
umount /etc/passwd

# Standard descriptors that are closed: nothing that the service opens takes their place.
"$build/daemon/netbrokerd" --foreground --socket $socket <&- >&- 2>&- &
daemon=$!
wait_for_daemon
for process in keeper broker; do
    for fd in 0 1 2; do
        equal "descriptor $fd of the $process" /dev/null \
            "$(readlink "/proc/$(status_of $process.pid)/fd/$fd")"
    done
done
nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null
check_agreement
