#!/bin/bash
# A configuration of SMCRoute is taken over: as lines of our own, and into the service, where the
# packets then flow. What cannot be taken over is told with its file and line.
. "$(dirname "$0")/lib.sh"

# import STATUS ARGUMENT...: standard output and standard error go to $work/out and $work/err.
import() {
    local status=0

    nb mfc import "${@:2}" >$work/out 2>$work/err || status=$?
    equal "exit status of mfc import ${*:2}" "$1" $status
}

said() {
    contains "standard error" "$1" "$(cat $work/err)"
}

mkdir -p $work/smcroute/more.d
cat >$work/smcroute/smcroute.conf <<'END'
# smcroute.conf of two lines and their neighbours
phyint r0 enable
phyint r1 enable ttl-threshold 3
phyint r+ enable

phyint r2 enable ttl-threshold 5    # only for what comes from far away

mroute from r0 source 10.1.0.2 group 225.1.2.3 to r1 r2
mroute from r0                 group 225.1.2.4 to r1
mroute from r0                 group 225.1.2.4 to r2
mroute from r0 source 0.0.0.0  group 225.1.2.5 to r1
mroute from r1                 group 225.1.2.5 to r0 r1
mroute from r0 source fd00:1::2 group FF05::0:1 to r1 r2
mroute from r0 source 10.1.0.66 group 225.1.2.4
mroute from r+ source 10.1.0.7/24 group 225.2.9.9/16 to r1 r2
mroute from r0 group ff0e::5:0/112 to r2
include more.d/*.conf
END
echo "mroute from r0 group 225.1.2.6 to r2" >$work/smcroute/more.d/1.conf
echo "mroute from r0 group 225.1.2.7 to r1 # no newline behind it" >$work/smcroute/more.d/2.conf

import 0 $work/smcroute/smcroute.conf --print
equal "lines" "route source 10.1.0.2 group 225.1.2.3 iif r0 oifs r1,r2 ttls 1,5
route group 225.1.2.4 iif r0 oifs r1,r2 ttls 1,5
route group 225.1.2.5 iif r0 oifs r1
route group 225.1.2.5 iif r1 oifs r0
route source fd00:1::2 group ff05::1 iif r0 oifs r1,r2
route source 10.1.0.66 group 225.1.2.4 iif r0 oifs \"\"
route source 10.1.0.0/24 group 225.2.0.0/16 iif r+ oifs r1,r2 ttls 1,5
route group ff0e::5:0/112 iif r0 oifs r2
route group 225.1.2.6 iif r0 oifs r2 ttls 5
route group 225.1.2.7 iif r0 oifs r1" "$(cat $work/out)"
equal "remarks" "$work/smcroute/smcroute.conf:12: note: 'r1' is left out of the outgoing \
interfaces: it is the inbound interface, and the packets would loop." "$(cat $work/err)"

# Nothing is asked of a service for that; the rest needs one.
cat >$work/bad.conf <<'END'
phyint r0 enable mrdisc
phyint r2 disable
mroute from r0 group 224.0.0.251 to r1
mroute from r2 group 225.1.1.1 to r1
mroute from r0 group 225.1.1.2 to r1 r2
mroute from r0 group 225.1.1.3
mroute from r0 source 10.1.0.2 group 225.1.1.4 to r1
mroute from r1 source 10.1.0.2 group 225.1.1.4 to r0
mroute from r0 group 10.1.1.1 to r1
route from r0
include nothing/*.conf
include nothing.conf
include bad.conf
END
import 1 $work/bad.conf --print
equal "lines" "route group 225.1.1.2 iif r0 oifs r1
route source 10.1.0.2 group 225.1.1.4 iif r1 oifs r0" "$(sort -u $work/out)"
for remark in "1: mrdisc: netbroker does not announce itself" \
    "3: 'group' '224.0.0.251' is a link-local group" \
    "4: Left out: phyint disables its inbound interface 'r2'." \
    "5: 'r2' is left out of the outgoing interfaces: phyint disables it." \
    "6: No outgoing interface is left." \
    "7: note: Left out: line 8 of $work/bad.conf gives the same source and group another" \
    "9: 'group' '10.1.1.1' is not a multicast address" \
    "10: There is no statement 'route'; a line begins with phyint, mroute" \
    "12: Cannot read '$work/nothing.conf': No such file or directory." \
    "13: '$work/bad.conf' is not read: includes may be at most 8 deep"; do
    said "$work/bad.conf:$remark"
done
contains "standard error" "netbroker: not everything was taken over" "$(tail -n 1 $work/err)"
if grep -q "bad.conf:11" $work/err; then
    fail "a pattern may have no files"
fi

import 1 $work/no-such.conf
said "netbroker: cannot read '$work/no-such.conf': No such file or directory."
import 3 $work/smcroute/smcroute.conf
said "Is netbrokerd running?"

# learn GROUP: one packet before those that are counted, as the kernel holds back few of a flow that
# is not known yet, and the machine may be busy.
learn() {
    send "$1" 1
    within 10 "the flow to $1 is learned" eval "(ip mroute; ip -6 mroute) | grep '$1) *Iif: r0'"
}

make_topology
start_daemon
echo "mroute from r9 group 225.1.2.8 to r1" >$work/smcroute/more.d/3.conf
import 0 $work/smcroute/smcroute.conf
equal "what is said" "Added: 11 routes, 0 joins." "$(cat $work/out)"
equal "routes" 11 "$(status_of mroute.routes)"
within 5 "a route waits for its interface" route_is waiting 225.1.2.8
flow 225.1.2.3 20 20 20
learn 225.2.7.7
flow 225.2.7.7 20 20 20
learn ff0e::5:6
flow ff0e::5:6 20 0 20
flow 225.1.2.3 20 20 0 4 # below r2's threshold
flow 225.1.2.7 20 20 0
equal "a second time" '{"routes":11,"joins":0,"refused":0,"problems":0}' \
    "$(nb --json mfc import $work/smcroute/smcroute.conf)"
equal "routes, two of them learned" 13 "$(status_of mroute.routes)"
