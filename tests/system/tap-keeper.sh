#!/bin/bash
# The keeper is killed, and with it the broker: a service manager starts them again. The guest at the
# end of a tap notices nothing, and the lease is there; who ends meanwhile leaves nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

serve
guest nb-a 'hosts=["192.168.7.1/24"]'
guest nb-b
nb_as member tap open nb-p --persistent >/dev/null
ping -i 0.05 -q -w 60 192.168.7.2 >$work/ping &
ping=$!
keeper=$(status_of keeper.pid)
kill -KILL "$keeper"
end_guest nb-b
within 20 "the next service" nb ping
[ "$(status_of keeper.pid)" != "$keeper" ] || fail "the keeper was not killed"
equal "the taps" "nb-a nb-p" "$(taps)"
equal "the interfaces" "nb-a nb-p" "$(devices)"
equal "the leases" 2 "$(leases)"
kill -INT $ping
wait $ping || true
contains "the ping" " 0% packet loss" "$(cat $work/ping)"
nb_as member tap close nb-a >/dev/null
nb_as member tap close nb-p >/dev/null
within 10 "the guest is told" grep -q "closed: EBADFD" $work/nb-a.err
within 10 "nothing is left" nothing_is_left
