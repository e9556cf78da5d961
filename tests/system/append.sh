#!/bin/bash
# One outgoing interface is added to a route and taken from it, while packets leave by another at
# 1,000 a second: none of those is lost. What the command says, and what the kernel has.
. "$(dirname "$0")/lib.sh"

flow="--source 10.1.0.2 --group 239.1.1.1"

# oifs: the outgoing interfaces of the only route.
oifs() {
    nb --json mfc show | python3 -c 'import json, sys
print(*[",".join(r["oifs"]) for r in json.load(sys.stdin)["mfc_rules"]])'
}

writes() {
    status_of mroute.kernel_writes
}

# is WHAT COMMAND...: what the command prints.
is() {
    equal "${*:2}" "MFC entry for (10.1.0.2, 239.1.1.1) $1." "$(nb "${@:2}")"
}

# says_no WORDS COMMAND...
says_no() {
    local status=0

    nb "${@:2}" >/dev/null 2>$work/refusal || status=$?
    equal "exit status of ${*:2}" 1 $status
    contains "the refusal of ${*:2}" "$1" "$(cat $work/refusal)"
}

make_topology
start_daemon --state $work/state/state

# shellcheck disable=SC2086 # the flow is several words
{
    is "would be added" mfc add --append $flow --iif r0 --oifs r1 --dry-run
    is "added" mfc add --append $flow --iif r0 --oif r1
    is "exists already; unchanged" mfc add $flow --iif r0 --oifs r1
    equal "the result" unchanged "$(nb --json mfc add $flow --iif r0 --oifs r1 | member result)"
    before=$(writes)
    is "exists already; unchanged" mfc add --append $flow --iif r0 --oifs r1
    equal "writes" "$before" "$(writes)"
    says_no "'r2' is not an outgoing interface" mfc del $flow --oifs r2
    says_no "has the inbound interface 'r0'" mfc add --append $flow --iif r2 --oifs r1
    says_no "'nothing' not found" mfc add --append $flow --iif r0 --oifs nothing

    receive steady receiver1 d1 239.1.1.1 4000
    send 239.1.1.1 4000 1000 &
    for _ in {1..20}; do
        is "replaced" mfc add --append $flow --iif r0 --oifs r2
        equal "outgoing interfaces" r1,r2 "$(oifs)"
        is "would be replaced" mfc del $flow --oif r2 --dry-run
        is "replaced" mfc del $flow --oif r2
        equal "outgoing interfaces" r1 "$(oifs)"
    done
    contains "packets of the interface that stays" "received 4000 lost 0 duplicates 0" \
        "$(result steady)"
    is "would be deleted" mfc del $flow --oifs r1 --dry-run
    is "deleted" mfc del $flow --oifs r1
    equal "routes" "" "$(oifs)"

    # It is kept as it is, over a restart.
    nb mfc add $flow --iif r0 --oifs r1 >/dev/null
    nb mfc add --append $flow --iif r0 --oifs r2 --ttls 7 >/dev/null
    stop_daemon
    start_daemon --state $work/state/state
    equal "outgoing interfaces after a restart" r1,r2 "$(oifs)"
    contains "the threshold" "r2(ttl 7)" "$(nb mfc show)"
}
