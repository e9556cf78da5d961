#!/bin/bash
# The policy judges what a request displaces: who may route between r2 and r3 only takes no packet
# from another's route between r0 and r1, neither by a more exact route nor by packets that pretend
# to come from the other's source.
. "$(dirname "$0")/lib.sh"

# refused_with CODE TEXT USER PAYLOAD: ADD_MFC is refused so, and the kernel's routes stay.
refused_with() {
    local before reply

    before=$(kernel_state)
    reply=$(ask "$3" "{\"action\": \"ADD_MFC\", \"payload\": $4}")
    equal "the answer to $4" "error $1" "$(member status <<<"$reply") $(member code <<<"$reply")"
    contains "the answer to $4" "$2" "$(member message <<<"$reply")"
    equal "the kernel's routes after $4" "$before" "$(kernel_state)"
}

# ask USER REQUEST: prints the reply.
ask() {
    as "$1" python3 $work/build/protocol.py request "$2"
}

# Sends packets of the group with the sender's address behind r2, as fast as the real ones.
spoof() {
    inside receiver2 "$build/tests/system/mcsend" d2 "$1" "$2" 1000 8 >/dev/null
}

make_users
make_topology
new_namespace receiver3
inside receiver3 bash -c "$(declare -f calm_kernel); calm_kernel"
connect 3 receiver3 d3
inside receiver2 ip address add 10.1.0.2/24 dev d2
inside receiver2 ip address delete 10.3.0.2/24 dev d2
inside receiver2 ip route add default dev d2
cat >$work/policy.conf <<'POLICY'
[allow the member its own links]
user = member
verbs = mroute.*
interfaces = r0, r1

[allow the operator its own links]
user = operator
verbs = mroute.write
interfaces = r2, r3

[allow all to ask]
everyone = yes
verbs = service.read, event.read, lease.read
POLICY
start_daemon --policy $work/policy.conf
chmod 666 $socket

# A more exact route over another's any-source route.
nb_as member mfc add --group 239.1.1.1 --iif r0 --oifs r1
exact='{"source": "10.1.0.2", "group": "239.1.1.1", "iif": "r2", "oifs": ["r3"]'
refused_with in-use "may not read" operator "$exact}"
refused_with in-use "may not read" operator "$exact, \"dry_run\": true}"
refused_with in-use "may not read" operator "$exact, \"append\": true}"
refused_with in-use "may not read" operator "$exact, \"while_connected\": true}"
if ask operator "{\"action\": \"ADD_MFC\", \"payload\": $exact}}" | grep -E "r0|r1|member|3001"; then
    fail "the refusal tells what the operator may not read"
fi
flow 239.1.1.1 300 300 0
nb_as member mfc del --group 239.1.1.1

# The other way round, the range takes what the exact route leaves.
ask operator "{\"action\": \"ADD_MFC\", \"payload\": $exact}}" | grep -q success
nb_as member mfc add --group 239.1.1.1 --iif r0 --oifs r1
ask operator "{\"action\": \"ADD_MFC\", \"payload\": $exact, \"append\": true}}" | grep -q success
nb_as operator mfc del --source 10.1.0.2 --group 239.1.1.1
nb_as member mfc del --group 239.1.1.1

# Ranges on both: the flow stays with the one who was there first.
nb_as member mfc add --group 239.2.0.0/16 --iif r0 --oifs r1
nb_as operator mfc add --group 239.2.0.0/16 --iif r2 --oifs r3
receive stream receiver1 d1 239.2.1.1 300
spoof 239.2.1.1 400 &
spoofer=$!
send 239.2.1.1 300 1000
sleep 0.2
stop_receiver stream
wait $spoofer
seen=$(result stream)
count=${seen#received }
[ "${count%% *}" -ge 295 ] || fail "packets past the spoofed ones: $seen of 300"
flow 239.2.2.2 100 100 0
spoof 239.2.2.2 50
contains "the flow stays" r0 "$(nb --json mfc show --source 10.1.0.2 --group 239.2.2.2)"
flow 239.2.2.2 100 100 0

# Who pretends first gains nothing: the elder range has the flow from its first packets on.
spoof 239.2.3.3 20
contains "nobody else sends" r2 "$(nb --json mfc show --source 10.1.0.2 --group 239.2.3.3)"
as operator $work/build/client/netbroker --json watch --topics mfc.overridden >$work/told &
watcher=$!
as operator $work/build/client/netbroker watch --topics mfc.overridden >$work/lines &
reader=$!
sleep 0.5 # the command says nothing when it has subscribed
spoof 239.2.3.3 600 &
spoofer=$!
receive stream receiver1 d1 239.2.3.3 300
send 239.2.3.3 300 1000
sleep 0.2
stop_receiver stream
wait $spoofer
seen=$(result stream)
count=${seen#received }
[ "${count%% *}" -ge 290 ] || fail "packets past those who were first: $seen of 300"
within 5 "the loser is told" grep -q '"lost":{"source":"10.1.0.2","group":"239.2.3.3"}' $work/told
equal "words on who took it" 0 "$(grep -cE 'r0|r1|3001' $work/told || true)"
contains "the line that tells it" "lost (10.1.0.2, 239.2.3.3)" "$(cat $work/lines)"
kill $watcher $reader

# What is told: nothing of the operator's routes, interfaces and leases to the member.
for what in "doctor --iif r0" "doctor --iif r0 --group 239.2.1.1" \
    "doctor --iif r0 --source 10.1.0.2 --group 239.2.1.1" metrics status leases; do
    # shellcheck disable=SC2086 # words of a command
    told=$(nb_as member $what 2>&1 || true) # it may have found a problem
    [ -n "$told" ] || fail "$what tells nothing"
    if grep -wE 'r2|r3|3002|operator' <<<"$told"; then
        fail "$what tells the member what it may not read"
    fi
done
contains "its own interfaces" 'interface="r0"' "$(nb_as member metrics)"
contains "its own leases" 239.2.0.0/16 "$(nb_as member leases)"
contains "what root is told" 'interface="r2"' "$(nb metrics)"
equal "interfaces for those who may read none" 0 "$(nb_as operator metrics | grep -c 'interface=' || true)"

# A rule that allows both lets the flow move, however young the range.
cat >>$work/policy.conf <<'POLICY'
[allow the operator the other links, too]
user = operator
verbs = mroute.write
interfaces = r0, r1, r2, r3
POLICY
kill -HUP $daemon
within 5 "the policy is read" grep -q "policy read: 4 rules" $work/daemon.log
flow 239.2.2.2 10 10 0
spoof 239.2.2.2 20
contains "the flow moves" r2 "$(nb --json mfc show --source 10.1.0.2 --group 239.2.2.2)"
ask operator '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2", "group": "239.2.9.9",
    "iif": "r2", "oifs": ["r3"]}}' | grep -q success
