#!/bin/bash
# Each thing that can happen to a route is told by its event, once and in order, with the route as it
# is then; a subscriber to some topics gets these, and a dry run is no event.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
{ nb --json watch || true; } >$work/events 2>&1 & # until the service ends
{ nb --json watch --topics mfc.learned,mfc.exp* || true; } >$work/some 2>&1 &
within 5 "both are subscribed" test "$(status_of subscribers)" = 2

# happened TOPIC GROUP
happened() {
    within 5 "$1 $2" grep -q "\"event\":\"$1\".*\"group\":\"$2\"" $work/events
}

key=(--source 10.1.0.2 --group 239.1.1.1)
nb mfc add "${key[@]}" --iif r0 --oifs r1 --dry-run
nb mfc add "${key[@]}" --iif r0 --oifs r1
nb mfc add "${key[@]}" --iif r0 --oifs r1 # the same is nothing new
nb mfc add "${key[@]}" --iif r0 --oifs r1,r2
happened mfc.replaced 239.1.1.1
nb mfc add --group 239.2.0.0/16 --iif r+ --oifs r+ --idle 2
happened mfc.added 239.2.0.0/16
send 239.2.1.1 1
happened mfc.learned 239.2.1.1
send 239.3.1.1 1
happened mfc.no-route 239.3.1.1
send_from receiver1 d1 239.1.1.1 1 # from another source, which nobody wants
happened mfc.no-route 239.1.1.1

# The same sources by another interface.
inside receiver2 ip address flush dev d2
inside receiver2 ip address add 10.1.0.2/24 dev d2
send_from receiver2 d2 239.2.1.1 1
happened mfc.moved 239.2.1.1
send_from receiver2 d2 239.1.1.1 1
happened mfc.wrong-interface 239.1.1.1
happened mfc.expired 239.2.1.1

ip link delete r1
happened mfc.waiting 239.1.1.1
connect 1 receiver1 d1
happened mfc.restored 239.1.1.1
nb mfc del "${key[@]}" --dry-run
nb mfc del "${key[@]}"
happened mfc.deleted 239.1.1.1
nb mfc flush
happened mfc.deleted 239.2.0.0/16

python3 - $work/events $work/some <<'END'
import json
import sys

events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
some = [json.loads(line) for line in open(sys.argv[2]) if line.startswith("{")]
events = [event for event in events if "event" in event]
assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), events
told = [(event["event"], event["payload"]["group"]) for event in events]
expected = [
    ("mfc.added", "239.1.1.1"),
    ("mfc.replaced", "239.1.1.1"),
    ("mfc.added", "239.2.0.0/16"),
    ("mfc.learned", "239.2.1.1"),
    ("mfc.no-route", "239.3.1.1"),
    ("mfc.no-route", "239.1.1.1"),
    ("mfc.wrong-interface", "239.2.1.1"),
    ("mfc.moved", "239.2.1.1"),
    ("mfc.wrong-interface", "239.1.1.1"),
    ("mfc.expired", "239.2.1.1"),
    ("mfc.waiting", "239.1.1.1"),
    ("mfc.restored", "239.1.1.1"),
    ("mfc.deleted", "239.1.1.1"),
    ("mfc.deleted", "239.2.0.0/16"),
]
# The kernel's word on a moved flow may come before or behind what was made of it.
assert sorted(told) == sorted(expected), told
order = [event for event in told if event[0] != "mfc.wrong-interface"]
assert order == [event for event in expected if event[0] != "mfc.wrong-interface"], told

by_topic = {event["event"]: event["payload"] for event in events}
assert by_topic["mfc.replaced"]["oifs"] == ["r1", "r2"], by_topic
assert by_topic["mfc.learned"]["origin"] == "learned", by_topic
assert by_topic["mfc.learned"]["iif"] == "r0", by_topic
assert by_topic["mfc.moved"]["iif"] == "r2", by_topic
assert by_topic["mfc.waiting"]["state"] == "partial", by_topic
assert by_topic["mfc.restored"]["state"] == "installed", by_topic
assert by_topic["mfc.expired"]["packets"] >= 1, by_topic
assert by_topic["mfc.no-route"]["source"] == "10.2.0.2", by_topic
assert [event["event"] for event in some if "event" in event] == ["mfc.learned", "mfc.expired"]
END
