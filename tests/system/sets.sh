#!/bin/bash
# A set of routes is applied as a difference: what is in both is never rewritten and loses nothing,
# what is not in the set goes, and one bad line changes nothing.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon

cat >$work/one <<'END'
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1
route source 10.1.0.2 group 239.1.1.2 iif r0 oifs r1
route source 10.1.0.2 group 239.1.1.3 iif r0 oifs r1
route group 239.2.0.0/16 iif r+ oifs r+ idle 30
route group 239.3.1.1 iif late0 oifs r1     # waits
END
cat >$work/two <<'END'
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1
{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.1.1.2", "iif": "r0", "oifs": ["r1", "r2"]}}
route source 10.1.0.2 group 239.1.1.4 iif r0 oifs r1
route group 239.2.0.0/16 iif r+ oifs r+ idle 30
END

# counts FILE OPTION...: what it changed, or would.
counts() {
    nb --json mfc replace -f "$@" | python3 -c '
import json, sys
p = json.load(sys.stdin)
print(p["added"], p["replaced"], p["deleted"], p["unchanged"])'
}

equal "what the first set would change" "5 0 0 0" "$(counts $work/one --dry-run)"
equal "routes after that" 0 "$(status_of mroute.routes)"
equal "what the first set changed" "5 0 0 0" "$(counts $work/one)"
flow 239.1.1.1 50 50 0

# The same again: not one write.
writes=$(status_of mroute.kernel_writes)
equal "what the same set changed" "0 0 0 5" "$(counts $work/one)"
equal "kernel writes for it" "$writes" "$(status_of mroute.kernel_writes)"

# Another set: the flow that is in both loses nothing.
receive both receiver1 d1 239.1.1.1 2000
send 239.1.1.1 2000 1000 &
sender_done=$!
equal "the difference" "1 1 2 2" "$(counts $work/two --dry-run)"
contains "the difference, for people" "239.1.1.3" "$(nb mfc replace -f $work/two --dry-run)"
for _ in 1 2 3 4 5; do
    equal "there" "1 1 2 2" "$(counts $work/two)"
    equal "and back" "2 1 1 2" "$(counts $work/one)"
done
contains "packets of the flow in both" "received 2000 lost 0" "$(result both)"
wait $sender_done
counts $work/two >/dev/null
flow 239.1.1.2 20 20 20
flow 239.1.1.3 20 0 0
flow 239.2.1.1 3 3 3

# One bad line, of those that only the service can judge.
before=$(kernel_state)
{
    cat $work/one
    echo "route source 10.1.0.2 group 239.9.9.9 iif r0 oifs r0"
} >$work/bad
status=0
nb mfc replace -f $work/bad >$work/out 2>&1 || status=$?
equal "exit status" 1 $status
contains "the message" "r0" "$(cat $work/out)"
equal "the kernel after a bad set" "$before" "$(kernel_state)"
equal "routes after a bad set" 5 "$(($(status_of mroute.routes)))"

# What is not this user's, and not of the family, stays.
counts $work/two --family ipv6 >/dev/null 2>&1 && fail "a set of the other family"
nb mfc add --group ff05::1 --iif r0 --oifs r1
equal "IPv6 only" "0 0 1 0" "$(counts /dev/null --family ipv6)"
json '{"action": "COMMIT"}' | grep -q not-begun || fail "COMMIT without BEGIN_REPLACE"

# The end of a connection forgets the set.
python3 - "$tests" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
from protocol import Client, expect
client = Client()
expect("begin", "success", client.call("BEGIN_REPLACE")["status"])
expect("twice", "in-use", client.call("BEGIN_REPLACE")["code"])
expect("add", "success", client.call("ADD_MFC", source="10.1.0.2", group="239.7.7.7", iif="r0",
                                     oifs=["r1"])["status"])
expect("abort", "success", client.call("ABORT")["status"])
expect("abort again", "not-begun", client.call("ABORT")["code"])
client.call("BEGIN_REPLACE")
expect("refused", "error", client.call("ADD_MFC", group="239.7.7.7", iif="nosuch", oifs=["r1"])["status"])
expect("commit", "aborted", client.call("COMMIT")["code"])
client.call("BEGIN_REPLACE")
client.close()
END
equal "routes at the end" 5 "$(status_of mroute.routes)"
