#!/bin/bash
# The example program has its route again after the service was away, and its events; at its end the
# route ends.
# shellcheck source=tests/system/lib.sh
. "${NB_SOURCE:?}/tests/system/lib.sh"

connections() {
    grep -c connected $work/example
}

connected() {
    [ "$(connections)" = "$1" ] && [ "$(status_of subscribers)" = 1 ]
}

told() {
    grep -q "mfc.added $1" $work/example
}

make_topology
"$build/docs/reconnect" 239.1.1.1 r0 r1 >$work/example 2>$work/errors & # before the service is there
example=$!
within 10 "it says that there is no service" grep -q "again in" $work/errors
start_daemon
within 20 "it connects" connected 1
route_is installed 239.1.1.1
nb mfc add --group 239.1.1.2 --iif r0 --oifs r2
within 10 "it is told" told 239.1.1.2

stop_daemon
start_daemon
within 20 "it connects again" connected 2
route_is installed 239.1.1.1
nb mfc add --group 239.1.1.3 --iif r0 --oifs r2
within 10 "it is told again" told 239.1.1.3

kill -TERM $example
wait $example
equal "routes of its group" 0 "$(nb --json mfc show --group 239.1.1.1 | grep -c iif || true)"

# What the service refuses is not asked again and again.
status=0
timeout 10 "$build/docs/reconnect" 239.1.1.1 r0 eth99 2>$work/errors || status=$?
equal "exit status after a refusal" 1 $status
contains "what it says" "eth99" "$(cat $work/errors)"
