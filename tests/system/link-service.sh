#!/bin/bash
# A link that has its tap from the service goes on while the broker is killed, and ends with a word
# when the service closes the tap.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/link-lib.sh"

station= # set by the next line
new_namespace station
cat >$work/service.conf <<END
[service]
tap-networks = 10.9.0.0/24
END
printf '%s\n' "[allow all]" "everyone = yes" "verbs = *" >$work/policy.conf
start_daemon --config $work/service.conf --policy $work/policy.conf

nb --json link serve nb-link --hosts 10.9.0.1/24 --listen $work/s >$work/main.out 2>$work/main.err &
servers[main]=$!
within 10 "the link" ready_or_ended main
contains "what is told of it" '"tap":"nb-link","mac":"fe:' "$(cat $work/main.out $work/main.err)"
nsenter --target "$station" --net -- python3 "$peer" relay $work/s p0 10.9.0.2/24 >$work/station.out &
within 10 "the station" grep -q ready $work/station.out
mac=$(sed -n 's/.*"mac":"\([^"]*\)".*/\1/p' $work/main.out | head -n 1)
equal "one who sends from the host's address" nothing "$(python3 "$peer" thief u16le $work/s 10.9.0.1 "$mac")"

inside station ping -q -c 100 -i 0.01 -W 5 10.9.0.1 >$work/ping &
ping=$!
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
wait $ping || fail "pings while the broker is killed: $(cat $work/ping)"
contains "pings while the broker is killed" " 0% packet loss" "$(cat $work/ping)"

within 10 "another broker" nb ping
contains "the tap" "nb-link" "$(nb tap list)"
nb tap close nb-link >/dev/null
ended main 1
contains "what is said of its end" "the tap was taken away" "$(cat $work/main.err)"

# With offload, the service makes the tap for it.
nb --json link serve nb-link --hosts 10.9.0.1/24 --offload --framing u32be --listen $work/s >$work/off.out 2>$work/off.err &
servers[off]=$!
within 10 "the link with offload" ready_or_ended off
contains "what is told of it" '"offload":true' "$(cat $work/off.out $work/off.err)"
nsenter --target "$station" --net -- python3 "$peer" offload_tap p0 10.9.0.2/24 -- \
    "$build/client/netbroker" link serve --tap-fd '{fd}' --offload --framing u32be --connect $work/s >$work/far.out &
within 10 "the far end" grep -q "is linked to" $work/far.out
inside station ping -q -c 20 -i 0.01 -W 5 10.9.0.1 >$work/ping || fail "pings: $(cat $work/ping)"
nb tap close nb-link >/dev/null
ended off 1
