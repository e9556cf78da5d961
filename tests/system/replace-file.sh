#!/bin/bash
# A file becomes the set of the user's routes: what changes is shown before, what stays is not
# touched, packets of it flow on, and where the service refuses a line all stays as it was.
. "$(dirname "$0")/lib.sh"

# replace STATUS ARGUMENT...: standard output and standard error go to $work/out and $work/err.
replace() {
    local status=0

    nb mfc replace "${@:2}" >$work/out 2>$work/err || status=$?
    equal "exit status of mfc replace ${*:2}" "$1" $status
}

counts() {
    equal "what is said" "Routes: $1." "$(tail -n 1 $work/out)"
}

make_topology
start_daemon

cat >$work/one <<'END'
interface r2 ttl 5
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1,r2     # r2: for packets from far away
route group 239.1.1.2 iif r0 oifs r2 ttls 1
route group 239.2.0.0/16 iif r0 oifs r1
route group 239.1.1.9 iif r9 oifs r1                        # an interface that is not there yet
route group ff0e::1 iif r0 oifs r1,r2
{"action": "ADD_MFC", "payload": {"group": "239.1.1.3", "iif": "r0", "oifs": ["r2"]}}
END
replace 0 -f $work/one
counts "6 added, 0 replaced, 0 deleted, 0 unchanged"
within 5 "a route waits for its interface" route_is waiting 239.1.1.9
flow 239.1.1.1 20 20 20
flow 239.1.1.1 20 20 0 4
flow 239.1.1.2 20 0 20 4
flow 239.1.1.3 20 0 0 4
send 239.2.3.4 1 # a learned one may lose its first packets on a busy machine
within 10 "the flow is learned" eval "ip mroute | grep '239.2.3.4) *Iif: r0'"
flow 239.2.3.4 20 20 0
flow ff0e::1 20 20 20

# The same once more writes nothing, while packets flow.
writes=$(status_of mroute.kernel_writes)
receive receiver1 receiver1 d1 239.1.1.1 500
send 239.1.1.1 500 &
replace 0 -f - <$work/one
counts "0 added, 0 replaced, 0 deleted, 6 unchanged"
wait $!
contains "packets while the set is replaced" "received 500 lost 0" "$(result receiver1)"
equal "kernel writes by the same set" "$writes" "$(status_of mroute.kernel_writes)"

# Another one: what would change, and then what changed.
sed -e '/239.2.0.0/d' -e 's/^route group 239.1.1.2.*/route group 239.1.1.2 iif r0 oifs r1/' \
    $work/one >$work/two
echo "route group 239.1.1.4 iif r0 oifs r1" >>$work/two
replace 0 -f $work/two --dry-run
counts "1 added, 1 replaced, 1 deleted, 4 unchanged"
equal "the difference" "+  *  239.1.1.4    r0  253  r1
-  *  239.2.0.0/16 r0  253  r1
~  *  239.1.1.2    r0  253  r1" "$(sed -n '/^[-+~]/p' $work/out | sort | awk '{printf "%s  %s  %-12s %s  %s  %s\n", $1, $2, $3, $4, $5, $6}')"
flow 239.1.1.2 20 0 20
replace 0 -f $work/two --json
equal "deleted routes" 1 "$(member deleted <$work/out)"
flow 239.1.1.2 20 20 0
flow 239.1.1.4 20 20 0
flow 239.2.3.5 20 0 0

# Of one family only
grep -v ff0e $work/one >$work/three
replace 0 -f $work/three --family ipv4
counts "1 added, 1 replaced, 1 deleted, 3 unchanged"
flow ff0e::1 20 20 20

# A line that only the service can judge
(cat $work/one && echo "route group 239.1.1.5 iif r0 oifs r1 ttls 2,3") >$work/bad
before=$(nb --json mfc show | member mfc_rules | sed 's/"\(packets\|bytes\)": [0-9]*//g')
replace 1 -f $work/bad
contains "standard error" "$work/bad:8: " "$(cat $work/err)"
contains "standard error" "netbroker: nothing was changed." "$(cat $work/err)"
equal "routes" "$before" \
    "$(nb --json mfc show | member mfc_rules | sed 's/"\(packets\|bytes\)": [0-9]*//g')"

# Many, and none
seq 10000 | awk '{print "route source 10.1.0.2 group 239.3." int($1 / 250) "." $1 % 250,
    "iif r0 oifs r1,r2"}' >$work/many
start=$(now_ms)
replace 0 -f $work/many
echo "10,000 routes in $(($(now_ms) - start)) ms"
counts "10000 added, 0 replaced, 6 deleted, 0 unchanged"
equal "routes" 10000 "$(status_of mroute.routes)"
replace 0 -f /dev/null
counts "0 added, 0 replaced, 10000 deleted, 0 unchanged"
