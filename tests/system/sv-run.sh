#!/bin/bash
# A test set by lines of JSON, as a user without rights: streams are created, changed, started and
# stopped while others run, a sequence ends by the GOOSE trip of another process that sees its fault,
# and what is wrong is said. tshark and our own analyser see at the other end what was asked for.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"
. "$(dirname "$0")/publish-lib.sh"

cat >$work/netbrokerd.conf <<EOT
[service]
inject-interfaces = p0, p1
capture-interfaces = p0, p1
EOT
serve

# The relay and the test set are this user's processes; so is what looks at the wire.
# run SCENARIO...
run() {
    as operator python3 $work/build/sv_run.py $work/build/client/netbroker $work/files "$@" ||
        fail "$1"
    within 10 "nothing is left of $1" open_are INJECT 0
    within 10 "nothing is heard after $1" open_are CAPTURE 0
}

run streams
equal "malformed frames" "" "$(tshark -r $work/files/streams.pcap \
    -o sv.decode_data_as_phsmeas:TRUE -Y '_ws.malformed || _ws.expert' 2>/dev/null)"
equal "what tshark sees" "01:0c:cd:04:00:01 02:00:00:00:00:01 5 6 0x4001 1 MU01 7
01:0c:cd:04:00:02 02:00:00:00:00:01   0x4002 1 mu2 1
01:0c:cd:04:00:03 02:00:00:00:00:01   0x4003 8 mu3,mu3,mu3,mu3,mu3,mu3,mu3,mu3 1,1,1,1,1,1,1,1" \
    "$(fields streams.pcap -e eth.dst -e eth.src -e vlan.id -e vlan.priority -e sv.appid \
        -e sv.noASDU -e sv.svID -e sv.confRev)"
run trip
run cancelled
run mistakes
run file
run refused
run owner
run unread
run flaws

# first_lease: of the first stream.
first_lease() {
    json '{"action": "LEASES"}' | python3 -c '
import json, sys
leases = [one for one in json.load(sys.stdin)["payload"]["leases"] if one["kind"] == "inject"]
print(min(leases, key=lambda one: int(one["what"].split()[0]))["lease"])'
}

# The administrator takes the first stream back.
revoke_when_ready() {
    within 60 "the sequence runs" [ -e $work/files/revoke ]
    nb revoke "$(first_lease)" >/dev/null
}
revoke_when_ready &
run revoked

# The end of a stream is told at once, though nothing else is to be done: of a few times the fastest
# must be soon, however busy the machine is.
revoke_each() {
    local number lease

    for number in 0 1 2; do
        within 60 "stream $number runs" [ -e $work/files/running.$number ]
        lease=$(first_lease)
        within 60 "its status is told" [ -e $work/files/revoke.$number ]
        date +%s%N >$work/files/moment
        nb revoke "$lease" >/dev/null
    done
}
revoke_each &
run at_once

# The service is killed while a sequence runs; its keeper starts it again.
kill_when_ready() {
    within 60 "the sequence runs" [ -e $work/files/ready ]
    kill -KILL "$(status_of broker.pid)"
}
restarts_expected=1
kill_when_ready &
run killed
