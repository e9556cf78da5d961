#!/bin/bash
# However an injector ends - it is given up or revoked, its interface goes, its client or the broker
# is killed - its client learns of it, and nothing is left.
# shellcheck disable=SC2086,SC2154 # work: of lib.sh; others are numbers
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"

serve
member='{"interface": "r0", "sources": ["any"], "rate": 200000}'
frame=ffffffffffff02000000000188b5$(printf '5a%.0s' {1..50})
mkfifo $work/go

# holds USER FIELDS: opens one, in the background; $number and $lease are its.
holds() {
    rm -f $work/held
    inject "$1" hold "$2" $frame <$work/go >$work/held &
    holder=$!
    exec 7>$work/go
    within 10 "it is open" grep -q ready $work/held
    read -r _ number lease <$work/held
}

# ended WHAT WORDS: what its client has learned.
ended() {
    wait $holder
    exec 7>&-
    equal "$1" "$2" "$(tail -n +2 $work/held)"
    within 10 "no injector is left ($1)" injectors_are 0
    within 10 "no socket is left ($1)" sockets_are 0
}

holds member "$member"
denied "another's injector" nb_as stranger inject close "$number"
contains "the list" "$number" "$(nb inject list)"
contains "from another connection" "Another connection of yours holds it" \
    "$(nb_as member inject close "$number" 2>&1 || true)"
nb inject close "$number"
ended "given up by an administrator" "ended closed"

holds member "$member"
contains "the lease" "$number of r0" "$(nb leases)"
nb revoke "$lease"
ended "revoked" "ended revoked"

# Its client is killed.
holds member "$member"
kill -KILL $holder $(pgrep -P $holder) 2>/dev/null || true
wait $holder || true
exec 7>&-
within 10 "no injector is left" injectors_are 0
within 10 "no socket is left" sockets_are 0

# The broker is killed: its client learns it, may ask again, and nothing is left.
holds member "$member"
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
wait $holder
exec 7>&-
equal "what the client learned" gone "$(tail -n +2 $work/held)"
within 10 "the next broker" nb ping
within 10 "no socket is left" sockets_are 0
equal "asked again" "sent 1 " "$(inject member send "$member" $frame)"

# The service is stopped, and started again, as by an update: its client learns why.
holds member "$member"
kill -TERM "$(status_of keeper.pid)"
wait $holder
exec 7>&-
equal "what the client of a stopped service learned" "ended service" "$(tail -n +2 $work/held)"
within 10 "the next service" nb ping
restarts_expected=0 # it is counted anew
equal "asked again" "sent 1 " "$(inject member send "$member" $frame)"

# The interface is down: each frame is refused, until it is up again.
ip link set r0 down
equal "while it is down" "sent 0 100:down:64 101:down:64" \
    "$(inject member send "$member" $frame $frame)"
ip link set r0 up
equal "when it is up" "sent 1 " "$(inject member send "$member" $frame)"

# A rate is kept: what is more waits in the ring.
read -r sent _ < <(inject member flood '{"interface": "r0", "sources": ["any"], "rate": 1000}' 2)
if [ "$sent" -lt 1600 ] || [ "$sent" -gt 2100 ]; then
    fail "$sent frames in 2 s at 1000 a second"
fi

# Whoever keeps all that he has of rings that have ended keeps no memory of the service.
equal "what is kept" "nothing is kept" \
    "$(inject member keep '{"interface": "r0", "sources": ["any"], "rate": 1}' 20)"

# The interface gets another address: what waits for its time with the one before is not sent.
mac=$(ip -o link show r0 | sed 's/.*ether \([0-9a-f:]*\).*/\1/')
inject member moved '{"interface": "r0", "timed": true, "rate": 1000}' \
    "ffffffffffff${mac//:/}88b5$(printf '5a%.0s' {1..50})" <$work/go >$work/moved &
mover=$!
exec 7>$work/go
within 10 "the first are sent" grep -q ready $work/moved
ip link set r0 address 02:00:00:00:00:77
echo >&7
exec 7>&-
wait $mover
read -r sent refused < <(tail -n 1 $work/moved)
equal "frames that were sent or refused for their source" "('source', $((100 - sent)))" "$refused"
at_most "frames that were sent with an address that is not the interface's" 90 "$sent"
within 10 "nothing is left of it" injectors_are 0

# The interface goes for ever.
holds member "$member"
ip link delete r0
ended "without its interface" "ended interface"
