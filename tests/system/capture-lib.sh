# shellcheck shell=bash
# What the tests of captures share: a service that may capture r0 and r1, users who may do some of
# that, and frames. Sourced behind lib.sh.
# shellcheck disable=SC2154,SC2086 # work, socket: of lib.sh

make_users
mkdir -m 777 $work/files
cat >$work/netbrokerd.conf <<EOF
[service]
capture-interfaces = r0, r1
EOF
cat >$work/policy.conf <<EOF
[allow members to capture]
group = netbroker
verbs = raw.*
interfaces = r0, r2

[allow the operator sampled values that come in]
user = operator
verbs = raw.capture
interfaces = r0
ethertypes = sv, 0x88b8
direction = in
promiscuous = no
EOF

serve() {
    make_topology
    start_managed --config $work/netbrokerd.conf --policy $work/policy.conf
    chmod 666 $socket
}

# captures: how many are open.
captures() {
    json '{"action": "SHOW_CAPTURE"}' | python3 -c '
import json, sys
print(sum(c["state"] == "open" for c in json.load(sys.stdin)["payload"]["captures"]))'
}

captures_are() {
    [ "$(captures)" = "$1" ]
}

# sockets: how many packet sockets this namespace has; the kernel takes a while to end one.
sockets_are() {
    [ "$(tail -n +2 /proc/net/packet | wc -l)" = "$1" ]
}

# capture USER NAME OPTION...: in the background; its output is NAME.err.
declare -A running
capture() {
    local before
    before=$(captures)

    setpriv --reuid "$1" --regid "$1" --init-groups $work/build/client/netbroker \
        capture -w $work/files/"$2" "${@:3}" >$work/files/"$2".out 2>$work/files/"$2".err &
    running[$2]=$!
    within 10 "$2 is open" captures_are $((before + 1))
}

# ends NAME STATUS: it has ended, or is ended by the signal of $3.
ends() {
    local status=0

    [ -z "${3:-}" ] || kill -"$3" "${running[$1]}"
    wait "${running[$1]}" || status=$?
    equal "exit status of $1: $(cat $work/files/"$1".err)" "$2" $status
}

# frames_of NAME [FILTER]: how many are in the file, by tshark.
frames_of() {
    tshark -r $work/files/"$1" ${2:+-Y "$2"} 2>/dev/null | wc -l
}

# arrive COUNT HEX...: frames that come in at r0; leave: that go out there.
arrive() {
    inside sender python3 "$tests/capture.py" send s0 "$@"
}

leave() {
    python3 "$tests/capture.py" send r0 "$@"
}

# shellcheck disable=SC2034 # for who sources this
mark=88b5$(printf 'netbroker-mark' | xxd -p)00000000000000000000000000000000000000000000
