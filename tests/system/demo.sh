#!/bin/bash
# What netbroker does, shown to a person: ./run starts it.
. "$(dirname "$0")/lib.sh"

say() {
    printf '\n%s\n' "$*"
}

# as_user COMMAND...: with no privilege at all
as_user() {
    printf '   $ %s\n' "$(basename "$1") ${*:2}"
    "${user[@]}" "$@" | sed 's/^/   /'
}

# traffic COUNT EXPECTED: and what the receivers say
traffic() {
    local number

    for number in 1 2; do
        receive "receiver$number" "receiver$number" "d$number" 239.10.20.30 "$1"
    done
    send 239.10.20.30 "$1" 500
    [ "$2" != 0 ] || sleep 0.2
    for number in 1 2; do
        [ "$2" != 0 ] || stop_receiver "receiver$number"
        echo "   receiver $number: $(result "receiver$number")"
        contains "what arrived" "received $2 " "$(result "receiver$number")"
    done
}

# A folder that anybody may read, whatever the build's is.
cp "$build/client/netbroker" $work
chmod 755 $work/netbroker

say "Three hosts around a router, each in a network namespace of its own:

   sender s0 10.1.0.2 --- r0 [ router ] r1 --- receiver 1
                                        r2 --- receiver 2"
make_topology

say "1. The service starts. Its keeper holds two capabilities, its broker none:"
if [ "$(id -u)" = 0 ]; then
    cat >$work/policy.conf <<'POLICY'
[allow nobody to route between r0, r1 and r2]
user = nobody
verbs = mroute.write, *.read
interfaces = r0, r1, r2

[allow nobody to look]
user = nobody
verbs = *.read
POLICY
    start_daemon --policy $work/policy.conf
else
    start_daemon
fi
for process in keeper broker; do
    echo "   $process: process $(status_of $process.pid), capabilities" \
        "$(status_of $process.capabilities)"
done

if [ "$(id -u)" = 0 ]; then
    user=(setpriv --reuid nobody --regid nogroup --clear-groups)
    chgrp nogroup $socket
    say "2. A user who is not root, nobody, adds a route. (This script gave the socket to nobody's
   group, and wrote a policy that lets nobody route between these three interfaces.)"
else
    user=(setpriv "--inh-caps=-all" "--ambient-caps=-all")
    say "2. You, without any privilege, add a route:"
fi
as_user $work/netbroker mfc add --source 10.1.0.2 --group 239.10.20.30 --iif r0 --oifs r1,r2

say "3. The sender sends 1,000 packets to 239.10.20.30:"
traffic 1000 1000

say "4. The kernel counted them:"
as_user $work/netbroker show

say "5. The route is deleted, and the sender sends 200 more:"
as_user $work/netbroker mfc del --source 10.1.0.2 --group 239.10.20.30
traffic 200 0

say "That was all. The namespaces, the service and its files are gone with this script."
