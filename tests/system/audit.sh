#!/bin/bash
# The audit log: each grant, refusal and release has its line, no text of a client forges one, and a
# flood of refusals is summed up, while the grants of others keep their lines.
. "$(dirname "$0")/lib.sh"

# lines PART...: how many lines of the log have all of these parts.
lines() {
    local log part

    log=$(cat $work/daemon.log)
    for part; do
        log=$(grep -F -- "$part" <<<"$log") || true
    done
    grep -c . <<<"$log" || true
}

summed_up() {
    [ "$(grep -oE 'summary uid=3003 user=stranger granted=0 released=0 refused=[0-9]+' $work/daemon.log |
        awk -F= '{ sum += $6 } END { print sum + 0 }')" = $((100000 - $(lines "$@"))) ]
}

make_users
start_daemon
chmod 666 $socket
: >$work/daemon.log

nb mfc add --group 239.1.1.1 --iif lo --oifs lo
lease=$(nb --json leases | member leases.0.lease)
nb mfc add --group 239.1.1.1 --iif lo --oifs lo
nb join add --group 239.1.1.1 --iif lo
join=$(nb --json leases | member leases.1.lease)
nb join add --group 239.1.1.1 --iif lo
nb join del --group 239.1.1.1 --iif lo
nb mfc del --group 239.1.1.1
denied "a stranger's route" nb_as stranger mfc add --group 239.1.1.2 --iif lo --oifs lo
target="interfaces=lo group=239.1.1.1 table=253"
equal "lines of the grant, and of the one that changed nothing" 2 "$(lines "audit granted action=ADD_MFC verb=mroute.write uid=0 " \
    "rule='administrator' lease=$lease $target")"
equal "lines of the join's grants" 2 "$(lines "audit granted action=ADD_JOIN " "lease=$join ")"
equal "lines of the release" 1 "$(lines "audit released action=DEL_MFC verb=mroute.write uid=0 " \
    "lease=$lease $target")"
equal "lines of the deletion" 1 "$(lines "audit granted action=DEL_MFC verb=mroute.write uid=0 ")"
equal "lines of the refusal" 1 "$(lines "audit refused action=ADD_MFC verb=mroute.write uid=3003 " \
    "rule='none' interfaces=lo group=239.1.1.2 table=253")"

# The names of interfaces may have quotes; nothing else of a client's text comes through.
as stranger python3 - <<'END'
import os, sys
sys.path.insert(0, "/run/netbroker-test/build")
from protocol import call, expect
forged = "x\nnetbrokerd[1]: notice: audit granted action=FLUSH_MFC uid=0"
for name in ("a'uid=0", 'a"b', "a\\b"):
    expect(name, "not-allowed",
           call("ADD_MFC", group="239.1.1.3", iif=name, oifs=["lo"])["code"])
for text in (forged, "\x1b[2J", "\x7f"):
    for request in ({"iif": text}, {"group": text}, {text: 1}):
        payload = {"group": "239.1.1.4", "iif": "lo", "oifs": ["lo"], **request}
        assert call("ADD_MFC", **payload)["status"] == "error"
    assert call(text)["status"] == "error"
END
if LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' $work/daemon.log; then
    fail "control bytes in the log"
fi
equal "forged lines" 0 "$(lines "granted action=FLUSH_MFC")"
equal "lines with names that have quotes" 3 "$(lines "group=239.1.1.3")"
equal "quotes of a client in the log" 0 "$(grep -c 'interfaces=a["\\]' $work/daemon.log || true)"

# 100,000 refused requests.
stop_daemon
start_daemon
chmod 666 $socket
: >$work/daemon.log
as stranger python3 - <<'END'
import sys
sys.path.insert(0, "/run/netbroker-test/build")
from protocol import Client, expect
client = Client()
for _ in range(1000):
    client.send(b'{"action":"FLUSH_MFC"}' * 100)
    for _ in range(100):
        expect("a flood", "not-allowed", client.receive()["code"])
END
nb mfc add --group 239.1.1.1 --iif lo --oifs lo # the flood took none of the lines of others
equal "lines of a grant behind the flood" 1 "$(lines "audit granted action=ADD_MFC" "uid=0 ")"
within 5 "all refusals are told of, one by one or in sum" summed_up "audit refused"
at_most "lines about 100,000 refusals" 1500 "$(lines audit uid=3003)"
stop_daemon

# Dry runs and reads that are refused are told apart, and come after refused changes.
start_daemon
chmod 666 $socket
: >$work/daemon.log
as stranger python3 - <<'END'
import sys
sys.path.insert(0, "/run/netbroker-test/build")
from protocol import Client, expect
client = Client()
for request in b'{"action":"SHOW"}', b'{"action":"FLUSH_MFC","payload":{"dry_run":true}}':
    client.send(request * 300)
    for _ in range(300):
        expect("a look", "not-allowed", client.receive()["code"])
END
denied "a change behind the looks" nb_as stranger mfc add --group 239.1.1.2 --iif lo --oifs lo
equal "its lines" 1 "$(lines "audit refused action=ADD_MFC" uid=3003)"
within 5 "the looks in sum" grep -qE \
    'audit summary uid=3003 user=stranger granted=0 released=0 refused=0 staged=0 refused-look=[0-9]' \
    $work/daemon.log
stop_daemon

# One operator floods the log with changes, and then with dry runs of sets. What others change has
# its lines, and so has what the operator changes behind the dry runs.
cat >$work/policy.conf <<END
[allow operators]
user = operator, member
verbs = *
END
start_daemon --policy $work/policy.conf
chmod 666 $socket
: >$work/daemon.log
as operator python3 - <<'END'
import sys
sys.path.insert(0, "/run/netbroker-test/build")
from protocol import Client, expect
client = Client()
add = b'{"action":"ADD_MFC","payload":{"group":"239.2.2.2","iif":"lo","oifs":["lo"]}}'
for _ in range(20):
    client.send(add * 100)
    for _ in range(100):
        expect("a flood of changes", "success", client.receive()["status"])
END
nb_as member mfc add --group 239.1.1.7 --iif lo --oifs lo
denied "a stranger's route behind it" nb_as stranger mfc add --group 239.1.1.8 --iif lo --oifs lo
nb mfc add --group 239.1.1.9 --iif lo --oifs lo
equal "lines of the member" 1 "$(lines "audit granted action=ADD_MFC" uid=3001 group=239.1.1.7)"
equal "lines of the stranger" 1 "$(lines "audit refused action=ADD_MFC" uid=3003 group=239.1.1.8)"
equal "lines of root" 1 "$(lines "audit granted action=ADD_MFC" "uid=0 " group=239.1.1.9)"
within 5 "who was cut, and how much of what" grep -qE \
    'audit summary uid=3002 user=operator granted=1[0-9]{3} released=0 refused=0 ' $work/daemon.log
at_most "lines of the flood" 1000 "$(lines "audit granted" uid=3002)"

stop_daemon
start_daemon --policy $work/policy.conf
chmod 666 $socket
: >$work/daemon.log
as operator python3 - <<'END'
import sys
sys.path.insert(0, "/run/netbroker-test/build")
from protocol import Client, expect
client = Client()
for _ in range(20):
    client.call("BEGIN_REPLACE")
    for number in range(200):
        client.call("ADD_MFC", group=f"239.3.3.{number}", iif="lo", oifs=["lo"])
    expect("a dry run", "success", client.call("COMMIT", dry_run=True)["status"])
expect("a change", "success",
       client.call("ADD_MFC", group="239.2.2.3", iif="lo", oifs=["lo"])["status"])
END
equal "lines of a change behind dry runs" 1 \
    "$(lines "audit granted action=ADD_MFC" uid=3002 group=239.2.2.3)"
within 5 "how much of the sets was cut" grep -qE \
    'audit summary uid=3002 user=operator granted=0 released=0 refused=0 staged=[0-9]' $work/daemon.log
