# shellcheck shell=bash
# Attacks by one user, or by one person who is many, and what another user notices of them. Sourced
# by tests/bench/faults. Needs root, to be these users.
# shellcheck disable=SC2154,SC2034 # of tests/system/lib.sh
#
# The service runs at the niceness of its unit. On a machine with several processors it has the first
# one for itself; the attacker and the neighbour have the second one, and the neighbour goes before
# the attacker there (chrt(1)): what is measured is the service's doing, not the scheduler's.

ATTACK_SECONDS=10
LARGE=65000  # routes of root's
PERSONS=1100 # users at a time, of a subordinate range
MEMORY_MAX=$(sed -n 's/^MemoryMax=//p' "$(dirname "${BASH_SOURCE[0]}")/../../systemd/netbrokerd.service.in" |
    numfmt --from=iec)
second=()
[ "$(nproc)" = 1 ] || second=(taskset --cpu-list 1)

attack_policy() {
    cat >"$work/attack-policy.conf" <<'END'
[allow the neighbour]
user = operator
verbs = mroute.*
interfaces = r0, r1
multicast = 239.77.0.0/16, 239.78.0.0/16

[allow the attacker]
user = stranger
verbs = mroute.*
interfaces = r0, r2

[allow everybody to look]
everyone = yes
verbs = *.read

[allow everybody one route]
everyone = yes
verbs = mroute.write
interfaces = r0, r2
multicast = 239.66.0.0/16
leases = 1
END
    # Of one user: who has no share of his own here has none at all.
    echo "stranger:100000:65536" >"$work/subuid"
    chmod 644 "$work/subuid" "$work/attack-policy.conf"
    [ -e /etc/subuid ] || return 0
    mount --bind "$work/subuid" /etc/subuid
}

# neighbour FILE [SECONDS]: what he notices, a line for each thing that he does
neighbour() {
    "${second[@]}" chrt --fifo 1 setpriv --reuid operator --regid operator --init-groups \
        "$build/tests/bench/bench-neighbour" "${2:-$((ATTACK_SECONDS / 2))}" >"$1" 2>"$1.refused"
}

# as_attacker COMMAND...: runs until it is killed: $attacker
as_attacker() {
    "${second[@]}" setpriv --reuid stranger --regid stranger --init-groups "$@" >"$work/attacker" &
    attacker=$!
}

attack_pipelines() {
    as_attacker "$build/tests/bench/bench-attack" pipelines "$@"
}

attack_halves() {
    (ulimit -Sn "$(ulimit -Hn)" &&
        exec "${second[@]}" setpriv --reuid stranger --regid stranger --init-groups \
            "$build/tests/bench/bench-attack" halves "$@") >"$work/attacker" &
    attacker=$!
}

attack_uids() {
    "${second[@]}" "$build/tests/bench/bench-attack" uids "$PERSONS" 100000 >"$work/attacker" &
    attacker=$!
}

# Packets of flows that are all new, which the attacker's range takes.
attack_range() {
    "${second[@]}" nsenter --target "$sender" --net -- "$build/tests/system/mcsend" s0 239.128.0.0 \
        $((20000 * ATTACK_SECONDS)) 20000 8 70000 >"$work/attacker" &
    attacker=$!
}

end_attack() {
    kill "$attacker" 2>/dev/null || true
    wait "$attacker" 2>/dev/null || true
}

# memory_peak PID: bytes
memory_peak() {
    awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$1/status" 2>/dev/null || echo 0
}

# worst ALONE BESIDE: what the neighbour notices most: its name, milliseconds, and how many times as
# many as without the attacker
worst() {
    awk 'NR == FNR { alone[$1] = $2; next }
        { ratio = $2 / alone[$1]; if (ratio > worst) { worst = ratio; line = $1 " " $2 " " ratio } }
        END { print line }' "$1" "$2"
}

# attacked LABEL COMMAND...: begins the attack, and judges what the neighbour notices.
attacked() {
    local label=$1 broker restarts name ms ratio lost peak

    restarts=$(status_of broker_restarts)
    broker=$(status_of broker.pid)
    neighbour "$work/alone"
    receive stream receiver1 d1 239.77.0.1 $((ATTACK_SECONDS * 500)) 60
    "${@:2}"
    sleep 1
    send 239.77.0.1 $((ATTACK_SECONDS * 500)) 1000 &
    neighbour "$work/beside"
    wait $!
    lost=$(result stream | awk '{ print $4 }')
    peak=$(memory_peak "$broker")
    end_attack
    within 30 "the service answers" nb ping
    read -r name ms ratio < <(worst "$work/alone" "$work/beside")
    other "$label: it had its way" "$(grep -o '[0-9]*$' "$work/attacker" || echo 0)" times
    row "  another's 99 % of '$name' ($ms ms)" "$ratio" times 2
    row "  the slowest of his 99 %" "$(sort -k 2 -n "$work/beside" | awk 'END { print $2 }')" ms 5
    row "  his requests that were refused" "$(awk '{ n += $3 } END { print n }' "$work/beside")" "" 0
    sort "$work/beside.refused" | uniq -c | sort -rn | head -n 3 | cut -c 1-160
    row "  his packets that were lost, of $((ATTACK_SECONDS * 500))" "$lost" "" 0
    row "  the broker's memory at its peak" $((peak / 1024 / 1024)) MiB \
        $((MEMORY_MAX * 2 / 3 / 1024 / 1024))
    row "  brokers that ended" $(($(status_of broker_restarts) - restarts)) "" 0
    restarts_expected=$(status_of broker_restarts)
}

# New flows of the neighbour's own range, after the attacker's range has learned all that it may.
flows_after_flood() {
    # Not before: the neighbour's sets replace all that he has.
    nb_as operator mfc add --group 239.78.0.0/16 --iif r0 --oifs r1 >/dev/null
    receive flows receiver1 d1 239.78.0.1 100 10 100
    send 239.78.0.1 100 1000 8 100
    row "  his 100 new flows: lost" "$(result flows | awk '{ print $4 }')" "" 0
}

attacks() {
    local broker

    make_users
    attack_policy
    start_daemon --log-level error --policy "$work/attack-policy.conf"
    broker=$(status_of broker.pid)
    renice --priority -5 --pid "$daemon" "$broker" >/dev/null
    [ "$(nproc)" = 1 ] || taskset --all-tasks --pid --cpu-list 0 "$broker" >/dev/null
    chmod 666 "$socket"
    bench load $LARGE
    attacked "24 pipelines of requests that show nothing" attack_pipelines 24 \
        '{"action":"SHOW_MFC","payload":{"group":"239.1.2.3"}}'
    attacked "24 pipelines of dry runs" attack_pipelines 24 \
        '{"action":"FLUSH_MFC","payload":{"dry_run":true}}'
    attacked "$PERSONS users of one person" attack_uids
    attacked "connections with half a request, again and again" attack_halves 15000 8192
    within 30 "the attacker has connections again" nb_as stranger ping
    nb_as stranger mfc add --group 239.128.0.0/9 --iif r0 --oifs r2 --idle 3600 >/dev/null # the most
    attacked "a range, and a flood of new flows" attack_range
    flows_after_flood
    stop_daemon
}
