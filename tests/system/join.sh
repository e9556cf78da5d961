#!/bin/bash
# Joins of any and of one source, IPv4 and IPv6: they are in the kernel, the network hears of them,
# owners share them, they follow their interface, and wrong ones are refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

make_topology
show_sources
start_daemon --state $work/state/state

# --- Any source, one source -------------------------------------------------------------------

listen sender s0
equal "the reply" "Join of 239.1.1.1 on r0 added." "$(nb join add --group 239.1.1.1 --iif r0)"
equal "again" "Join of 239.1.1.1 on r0 exists already; unchanged." \
    "$(nb join add --group 239.1.1.1 --iif r0)"
nb join add --group ff0e::1:1 --iif r0
nb join add --source 10.1.0.2 --group 232.1.1.1 --iif r0
nb join add --source fd00:1::2 --group ff3e::1 --iif r0
contains "what the link heard" "leaves 0" "$(reports)"
is_member r0 239.1.1.1 || fail "239.1.1.1 is not joined"
is_member r0 ff0e::1:1 || fail "ff0e::1:1 is not joined"
equal "sources of 232.1.1.1" "0xe8010101 0x0a010002 1 0" "$(sources r0 4 | grep -i e8010101)"
equal "sources of ff3e::1" \
    "ff3e0000000000000000000000000001 fd000001000000000000000000000002 1 0" "$(sources r0 6)"
equal "the first line shown" "* 239.1.1.1 r0 joined client 1 1" \
    "$(nb join show | awk 'NR == 2 {print $1, $2, $3, $4, $5, $6, $7}')"
equal "joins of IPv6" 2 "$(nb --json join show --family ipv6 | grep -o '"group"' | wc -l)"
equal "a dry run" "Join of 239.1.1.9 on r0 would be added." \
    "$(nb join add --group 239.1.1.9 --iif r0 --dry-run)"
no_member r0 239.1.1.9 || fail "a dry run joined"

listen sender s0
nb join del --group 239.1.1.1 --iif r0
nb join del --source fd00:1::2 --group ff3e::1 --iif r0
within 2 "239.1.1.1 is left" no_member r0 239.1.1.1
heard_leaves "two deletions"
equal "sources of IPv6" "" "$(sources r0 6)"
nb join del --group ff0e::1:1 --iif r0
nb join del --source 10.1.0.2 --group 232.1.1.1 --iif r0
equal "joins" 0 "$(join_count)"

# --- A stream comes ---------------------------------------------------------------------------

# A bridge that snoops sends a group only to ports that have joined it.
nb mfc add --source 10.1.0.2 --group 239.1.1.5 --iif r0 --oifs r1
nb join add --group 239.1.1.5 --iif r0
flow 239.1.1.5 30 30 0
nb mfc flush >/dev/null
nb join del --group 239.1.1.5 --iif r0

# --- Owners -----------------------------------------------------------------------------------

request='{"action": "ADD_JOIN", "payload": {"group": "239.2.2.2", "iif": "r0", "while_connected": true}}'
python3 - "$request" <<'END' &
import json, sys, time
sys.path.insert(0, "tests/system")
import socket, os
client = socket.socket(socket.AF_UNIX)
client.connect(os.environ["NETBROKER_SOCKET"])
client.sendall(sys.argv[1].encode())
client.recv(4096)
open("/run/netbroker-test/held", "w").close()
while not os.path.exists("/run/netbroker-test/let-go"):
    time.sleep(0.02)
END
holder=$!
within 10 "a session holds 239.2.2.2" test -e $work/held
is_member r0 239.2.2.2 || fail "239.2.2.2 is not joined"
nb join add --group 239.2.2.2 --iif r0
equal "owners" 2 "$(nb --json join show | member joins.0.owners)"
equal "leases" "client session" \
    "$(nb --json leases | grep -o '"origin":"[a-z]*"' | cut -d'"' -f4 | sort | xargs)"
contains "the reply to the first" "released; others still hold it" \
    "$(nb join del --group 239.2.2.2 --iif r0)"
is_member r0 239.2.2.2 || fail "239.2.2.2 was left though a session holds it"
touch $work/let-go
wait $holder
within 2 "239.2.2.2 is left with its session" no_member r0 239.2.2.2
equal "joins" 0 "$(join_count)"

nb join add --group 239.2.2.3 --iif r0
lease=$(nb --json leases | member leases.0.lease)
equal "what the lease is on" "join 239.2.2.3 on r0" \
    "$(nb --json leases | member leases.0.kind) $(nb --json leases | member leases.0.what)"
nb revoke "$lease"
within 2 "239.2.2.3 is left with its lease" no_member r0 239.2.2.3
grep -q "DEL_JOIN" $work/daemon.log || fail "the log does not tell of the release"

# --- Interfaces -------------------------------------------------------------------------------

nb join add --group 239.3.3.0/26 --iif r2
nb join add --source 10.9.0.0/28 --group 232.3.3.3 --iif r2
nb join add --group ff0e::3:3 --iif r2
equal "239.3.3.x on r2" 64 "$(count_groups r2 4 '^..0303EF')"
ip link del r2
within 1 "the joins wait" join_is waiting 239.3.3.0/26
connect 2 receiver2 d2
came=$(now_ms)
within 5 "232.3.3.3 is joined again" join_is joined 232.3.3.3
at_most "milliseconds until r2 was joined again" 1000 $(($(now_ms) - came))
equal "239.3.3.x on the new r2" 64 "$(count_groups r2 4 '^..0303EF')"
equal "sources on the new r2" 16 "$(count_sources r2 4 e8030303)"
is_member r2 ff0e::3:3 || fail "ff0e::3:3 is not joined again"
sockets=$(status_of joins.sockets)
for _ in 1 2 3 4 5; do
    ip link del r2
    within 1 "the joins wait" join_is waiting 239.3.3.0/26
    connect 2 receiver2 d2
    within 5 "they are joined again" join_is joined 232.3.3.3
done
equal "sockets, whose places are used again" "$sockets" "$(status_of joins.sockets)"

ip link set r2 name other
within 2 "what is named otherwise is left" no_member other 239.3.3.1
join_is waiting 239.3.3.0/26 || fail "239.3.3.0/26 is shown as joined"
ip link set other name r2
within 1 "the old name is joined again" is_member r2 239.3.3.1
ip link set r2 down
ip link set r2 up
is_member r2 239.3.3.1 || fail "239.3.3.1 was lost by down and up"

# Moved away and back, it has the same index and none of its memberships.
# shellcheck disable=SC2154 # new_namespace sets it
ip link set r2 netns "$receiver1"
within 1 "the joins wait" join_is waiting 239.3.3.0/26
inside receiver1 ip link set r2 netns $$
within 1 "what came back is joined" is_member r2 239.3.3.1
equal "239.3.3.x on r2" 64 "$(count_groups r2 4 '^..0303EF')"

equal "a late interface" "Join of 239.3.4.1 on late added; it waits for the interface." \
    "$(nb join add --group 239.3.4.1 --iif late --wait)"
ip link add late type veth peer name late-peer
within 1 "late is joined" is_member late 239.3.4.1
ip link del late

# --- A restart --------------------------------------------------------------------------------

stop_daemon
equal "239.3.3.x on r2 after the stop" 0 "$(count_groups r2 4 '^..0303EF')"
start_daemon --state $work/state/state
within 2 "the joins are there again" join_is joined 239.3.3.0/26
equal "239.3.3.x on r2 after the restart" 64 "$(count_groups r2 4 '^..0303EF')"
equal "joins after the restart" 4 "$(join_count)"
nb join del --group 239.3.4.1 --iif late

# --- Refusals ---------------------------------------------------------------------------------

wrong() {
    refused "$1" "{\"action\": \"ADD_JOIN\", \"payload\": {$2}}"
}
wrong not-found '"group": "239.1.1.1", "iif": "nowhere"'
wrong not-forwarded '"group": "224.0.0.5", "iif": "r0"'
wrong invalid-address '"group": "239.1.1.1/33", "iif": "r0"'
wrong invalid-address '"group": "239.1.1.1", "iif": "r0", "source": "fd00::1"'
wrong limit '"group": "239.0.0.0/19", "iif": "r0"'
wrong invalid-name '"group": "239.1.1.1", "iif": "r+"'
equal "joins after what was refused" 3 "$(join_count)"
equal "exit status of a deletion of what is not there" 1 \
    "$(nb join del --group 239.9.9.9 --iif r0 2>/dev/null && echo 0 || echo $?)"

# --- Events -----------------------------------------------------------------------------------

nb watch --topics 'join.*' >$work/events &
watcher=$!
sleep 0.3
nb join add --group 239.4.4.4 --iif r1
ip link del r1
within 1 "it waits" join_is waiting 239.4.4.4
connect 1 receiver1 d1
within 1 "it is joined again" join_is joined 239.4.4.4
nb join del --group 239.4.4.4 --iif r1
within 5 "the deletion is told" grep -q join.deleted $work/events
kill $watcher
wait $watcher || true
equal "events" "join.added join.waiting join.restored join.deleted" \
    "$(awk '{print $2}' $work/events | xargs)"
