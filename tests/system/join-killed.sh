#!/bin/bash
# Broker and keeper are killed, with many groups joined. No membership is left and joined again, so
# no switch before the router stops a stream; and the new ones own them as the old ones did.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

state() {
    groups r0 4 | sort
    groups r0 6 | sort
    sources r0 4
    sources r0 6 | sort
}

settled() {
    [ "$(status_of joins.waiting)" = 0 ] && [ "$(status_of joins.memberships)" = 423 ]
}

# Generations in the manager's store, with how many sockets there are of each.
stored() {
    awk '/FDSTORE=1/ && /join-/ {names[$3]} /FDSTOREREMOVE/ {delete names[$2]}
        END {for (name in names) {sub(/-[0-9]+$/, "", name); count[name]++}
             for (name in count) print name, count[name]}' $work/notes
}

stored_is() {
    [ "$(stored)" = "$1" ]
}

make_topology
show_sources
start_managed
nb join add --group 239.1.0.0/24 --iif r0
nb join add --group ff0e::1:0/121 --iif r0
nb join add --source 10.1.0.0/27 --group 232.1.1.1 --iif r0
nb join add --group 239.7.7.0/30 --iif late --wait
nb join add --source fd00:1::/126 --group ff3e::1 --iif r0
nb join add --group 239.1.0.8/30 --iif r0
nb join add --group 239.2.0.1 --iif r0
nb join del --group 239.7.7.0/30 --iif late
nb join add --group 239.2.0.2 --iif r0
nb join add --group 239.2.0.3 --iif r0
equal "memberships" 423 "$(status_of joins.memberships)"
sleep 2.5 # all is said
before=$(state)
leases=$(nb --json leases)
count=$(status_of joins.sockets)
stored_is "FDNAME=join-1 $count" || fail "the manager has: $(stored)"

listen sender s0
for generation in 2 3 4; do
    broker=$(status_of broker.pid)
    kill -KILL "$broker"
    within 5 "the broker is gone" test ! -e "/proc/$broker"
    within 5 "another has joined all" settled
    within 5 "the older sockets are gone" stored_is "FDNAME=join-$generation $count"
done
equal "what the link heard when brokers died" "joins 0 leaves 0" "$(reports)"
equal "what the kernel has" "$before" "$(state)"
equal "the leases" "$leases" "$(nb --json leases)"

listen sender s0
kill -KILL "$(status_of keeper.pid)"
within 5 "the manager starts another keeper" grep -q "died -9" $work/notes
within 5 "it has joined all" settled
within 5 "the older sockets are gone" stored_is "FDNAME=join-5 $count"
equal "what the link heard when the keeper died" "joins 0 leaves 0" "$(reports)"
equal "what the kernel has" "$before" "$(state)"
equal "the leases" "$leases" "$(nb --json leases)"

# A broker that dies before it has joined all again does no harm either.
keeper=$(status_of keeper.pid)
has_child() {
    child=$(cat /proc/[0-9]*/stat 2>/dev/null |
        awk -v keeper="$keeper" '$4 == keeper && $3 != "Z" {print $1}')
    [ -n "$child" ]
}
listen sender s0
for _ in 1 2 3; do
    within 5 "a broker begins" has_child
    kill -KILL "$child" || true # it may just have ended
done
within 10 "one has joined all" settled
equal "what the link heard when brokers died young" "joins 0 leaves 0" "$(reports)"
equal "what the kernel has" "$before" "$(state)"

# Nor one that dies with the reply to a request on its lips.
nb join add --group 239.2.0.4 --iif r0
kill -KILL "$(status_of broker.pid)"
within 5 "what was added just before is there" join_is joined 239.2.0.4
nb join del --group 239.2.0.4 --iif r0
kill -KILL "$(status_of broker.pid)"
within 5 "what was deleted just before is not" settled
restarts_expected=$(status_of broker_restarts)
sleep 2.5 # all is said

# They are left when somebody says so.
listen sender s0
nb join del --group 239.2.0.1 --iif r0
within 2 "239.2.0.1 is left" no_member r0 239.2.0.1
heard_leaves "a deletion"
