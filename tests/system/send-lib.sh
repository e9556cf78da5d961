# shellcheck shell=bash
# What the tests of send and replay share: p0, where frames are sent, p1, its other end, a service
# that may inject at the one and capture at the other, and users who may do some of that. Sourced
# behind lib.sh.
# shellcheck disable=SC2154,SC2086 # work, socket: of lib.sh

make_users
mkdir -m 777 $work/files
cat >$work/netbrokerd.conf <<EOF
[service]
inject-interfaces = p0
capture-interfaces = p1
EOF
cat >$work/policy.conf <<EOF
[allow members frames of a test]
group = netbroker
verbs = raw.inject
interfaces = p0
ethertypes = 0x88b5
source-macs = own
destination-macs = 01:0c:cd:04:00:00/32
vlans = none

[allow the operator all]
user = operator
verbs = raw.*
interfaces = p0, p1
source-macs = any
EOF

serve() {
    calm_kernel
    ip link add p0 address 02:00:00:00:00:01 type veth peer name p1
    for interface in p0 p1; do
        echo 1 >/proc/sys/net/ipv6/conf/$interface/disable_ipv6
        ip link set $interface up
    done
    start_managed --config $work/netbrokerd.conf --policy $work/policy.conf
    chmod 666 $socket
}

# sends STATUS USER COMMAND...: the command ends so; its words are in $work/files/out and err.
sends() {
    local status=0

    nb_as "$2" "${@:3}" >$work/files/out 2>$work/files/err || status=$?
    equal "exit status of ${*:3}: $(cat $work/files/out $work/files/err)" "$1" $status
}

# report MEMBER: of what a command told with --json.
report() {
    member "$1" <$work/files/out
}

open_are() {
    [ "$(json "{\"action\": \"SHOW_$1\"}" | python3 -c '
import json, sys
payload = json.load(sys.stdin)["payload"]
print(sum(item["state"] == "open" for items in payload.values() for item in items))')" = "$2" ]
}

# received NAME COUNT COMMAND...: captures so many frames at p1, to the file NAME, while the command
# runs.
received() {
    local captured

    as operator $work/build/client/netbroker capture -i p1 --direction in --pcap -c "$2" \
        -w $work/files/"$1" >$work/files/"$1".out 2>$work/files/"$1".err &
    captured=$!
    within 10 "it is captured" open_are CAPTURE 1
    "${@:3}"
    wait $captured || fail "the capture: $(cat $work/files/"$1".err)"
    within 10 "it is captured no more" open_are CAPTURE 0
}

# nothing_is_left: no injection, and no socket of one.
nothing_is_left() {
    within 10 "no injection is left" open_are INJECT 0
    within 10 "no socket is left" sockets_are 0
}

sockets_are() {
    [ "$(tail -n +2 /proc/net/packet | wc -l)" = "$1" ]
}

replay_py() {
    python3 "$tests/replay.py" "$@"
}
