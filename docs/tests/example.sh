#!/bin/bash
# The example program adds its route, is told of another one, and deletes its own at the end.
# shellcheck source=tests/system/lib.sh
. "${NB_SOURCE:?}/tests/system/lib.sh"

make_topology
start_daemon
"$build/docs/example" 239.1.1.1 r0 r1 >$work/example &
example=$!
subscribed() {
    [ "$(status_of subscribers)" = 1 ]
}
within 10 "the example subscribes" subscribed
equal "the example's route" '["r1"]' "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.oifs)"
nb mfc add --group 239.1.1.2 --iif r0 --oifs r2
within 10 "the example is told" grep -q 239.1.1.2 $work/example
kill -TERM $example
wait $example
equal "what the example printed" "MFC entry for (0.0.0.0, 239.1.1.1) added.
mfc.added 239.1.1.2
MFC entry for (0.0.0.0, 239.1.1.1) deleted." "$(cat $work/example)"
equal "routes" 1 "$(status_of mroute.routes)"
