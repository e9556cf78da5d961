#!/bin/bash
# Shows what netbroker does. ./run starts it.
. "$(dirname "$0")/scene.sh"

# traffic GROUP COUNT BEHIND_R1 BEHIND_R2 [COMMAND...]: and what the receivers say. The command is run
# while the packets are sent.
traffic() {
    local number expected

    for number in 1 2; do
        receive "receiver$number" "receiver$number" "d$number" "$1" "$2"
    done
    send "$1" "$2" 500 &
    [ $# -le 4 ] || "${@:5}"
    wait $!
    for number in 1 2; do
        expected=$3
        [ $number = 1 ] || expected=$4
        if [ "$expected" != "$2" ]; then
            sleep 0.2 # for packets that should not come
            stop_receiver "receiver$number"
        fi
        echo "   receiver $number: $(result "receiver$number")"
        contains "what arrived" "received $expected " "$(result "receiver$number")"
    done
}

# configure LINE...: what the administrator's file says from now on
configure() {
    printf '%s\n' "$@" >$work/multicast.conf
    sed 's/^/   | /' $work/multicast.conf
}

reload() {
    sleep 0.2
    kill -HUP $daemon
}

has_reloaded() {
    grep -q "multicast.conf: 1 routes added" $work/daemon.log
}

say "Three hosts around a router, each in a network namespace of its own:

   sender s0 10.1.0.2 --- r0 [ router ] r1 --- receiver 1
                                        r2 --- receiver 2"
make_topology

: >$work/multicast.conf
say "1. The service starts. Its keeper has two capabilities, its broker none:"
if [ "$(id -u)" = 0 ]; then
    cat >$work/policy.conf <<'POLICY'
[allow nobody to route between r*]
user = nobody
verbs = mroute.write, *.read
interfaces = r*

[allow nobody to look]
user = nobody
verbs = *.read
POLICY
    start_daemon --policy $work/policy.conf --multicast $work/multicast.conf
else
    start_daemon --multicast $work/multicast.conf
fi
for process in keeper broker; do
    echo "   $process: process $(status_of $process.pid), capabilities" \
        "$(status_of $process.capabilities)"
done

if [ "$(id -u)" = 0 ]; then
    chgrp nogroup $socket
    say "2. The user 'nobody', who is not root, adds a route. (This script made the socket accessible
   to this user's group. Its policy allows this user routes between interfaces such as r0.)"
else
    say "2. You, without any privilege, add a route:"
fi
as_user $work/netbroker mfc add --source 10.1.0.2 --group 239.10.20.30 --iif r0 --oifs r1,r2

say "3. The sender sends 1,000 packets to 239.10.20.30:"
traffic 239.10.20.30 1000 1000 1000

say "4. The kernel counted them:"
as_user $work/netbroker show

say "5. A route for a range of groups, from any interface whose name begins with r. When a flow
   begins, the kernel keeps its first packets and asks the service, which learns a route for it:"
as_user $work/netbroker mfc add --group 239.20.0.0/16 --iif r+ --oifs r1
traffic 239.20.1.1 500 500 0
as_user $work/netbroker mfc show --group 239.20.0.0/16

say "6. The administrator adds a line to the service's file and reloads it, while 1,000 packets of the
   first flow are sent:"
configure "route group 239.30.0.0/16 iif r0 oifs r2"
traffic 239.10.20.30 1000 1000 1000 reload
within 5 "the reload" has_reloaded
echo "   Packets to a group of that line:"
traffic 239.30.1.1 500 0 500
as_user $work/netbroker mfc show

say "7. The user deletes the first route, and the sender sends 200 more packets:"
as_user $work/netbroker mfc del --source 10.1.0.2 --group 239.10.20.30
traffic 239.10.20.30 200 0 0

say "The end. The namespaces, the service and its files end with this script."
