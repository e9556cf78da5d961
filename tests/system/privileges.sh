#!/bin/bash
# The keeper has CAP_NET_RAW and CAP_NET_ADMIN and nothing else, the broker nothing; neither is
# root, whether root starts the service or a service manager does, unprivileged. Every thread.
. "$(dirname "$0")/lib.sh"

need_root "to become another user"

# thread_is FILE UID CAPABILITIES BOUNDING_SET
thread_is() {
    local seen

    seen=$(awk '/^(Uid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs):/ {
        $1 = ""; print }' "$1" | xargs)
    equal "Uid, CapInh, CapPrm, CapEff, CapBnd, CapAmb, NoNewPrivs of $1" \
        "$2 $2 $2 $2 0000000000000000 $3 $3 $4 0000000000000000 1" "$seen"
}

# process_is PID UID CAPABILITIES BOUNDING_SET
process_is() {
    local status

    for status in "/proc/$1/task/"*/status; do
        thread_is "$status" "$2" "$3" "$4"
    done
    # The kernel gives the files of a process that nobody may look into to root.
    equal "owner of /proc/$1/environ" 0 "$(stat -c %u "/proc/$1/environ")"
    equal "the largest core file of $1" "0 0" \
        "$(awk '/^Max core file size/ {print $5, $6}' "/proc/$1/limits")"
    equal "groups of $1" "" "$(awk '/^Groups:/ {print $2}' "/proc/$1/status")"
}

# check_processes UID BOUNDING_SET
check_processes() {
    nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null # the state file brings threads
    within 5 "the state file" test -s $work/state/routes
    process_is "$(status_of keeper.pid)" "$1" 0000000000003000 "$2"
    process_is "$(status_of broker.pid)" "$1" 0000000000000000 "$2"
    stop_daemon
    rm -f $work/state/routes $socket
}

user=$(id -u netbroker 2>/dev/null || id -u nobody)
as_daemon=(setpriv "--groups=4,24") # which it must give up
start_daemon --state $work/state/routes
check_processes "$user" 0000000000000000

chown nobody /run/netbroker
# Where nobody can read it, wherever the build is.
mkdir -p $work/build/daemon $work/build/client
cp "$build/daemon/netbrokerd" $work/build/daemon
cp "$build/client/netbroker" $work/build/client
chmod -R a+rX $work/build
build=$work/build
as_daemon=(setpriv --reuid nobody --regid nogroup --clear-groups 
    "--bounding-set=-all,+net_raw,+net_admin"
    "--inh-caps=-all,+net_raw,+net_admin" "--ambient-caps=-all,+net_raw,+net_admin")
start_daemon --state $work/state/routes
# Only with CAP_SETPCAP, which it has not, could it empty the bounding set that it was given.
check_processes "$(id -u nobody)" 0000000000003000

as_daemon=(setpriv --reuid nobody --regid nogroup --clear-groups)
status=0
"${as_daemon[@]}" "$build/daemon/netbrokerd" --foreground 2>$work/refusal || status=$?
equal "exit status without capabilities" 1 $status
contains "the reason" CAP_NET_ADMIN "$(cat $work/refusal)"
