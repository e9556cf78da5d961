# shellcheck shell=bash
# What the tests of injectors share: a service that may send out of r0, users who may do some of
# that, and a listener at the other end. Sourced behind lib.sh.
# shellcheck disable=SC2154,SC2086 # work, socket: of lib.sh

make_users
mkdir -m 777 $work/files
cat >$work/netbrokerd.conf <<EOT
[service]
inject-interfaces = r0, r1
EOT
cat >$work/policy.conf <<EOT
[allow members to send]
group = netbroker
verbs = raw.*
interfaces = r0, r2

[allow the operator]
user = operator
verbs = raw.inject
interfaces = r0
ethertypes = sv, 0x88b5
source-macs = own, 02:00:00:00:00:01
destination-macs = ff:ff:ff:ff:ff:ff, 01:0c:cd:04:00:00/32
vlans = none, 100, 101
frames-per-second = 5000
EOT

# What the kernel sends of its own, such as the solicitation of an IPv6 router, would be among the frames.
serve() {
    make_topology
    sysctl -qw net.ipv6.conf.r0.disable_ipv6=1
    inside sender sysctl -qw net.ipv6.conf.s0.disable_ipv6=1
    start_managed --config $work/netbrokerd.conf --policy $work/policy.conf
    chmod 666 $socket
}

# injectors: how many are open.
injectors() {
    json '{"action": "SHOW_INJECT"}' | python3 -c '
import json, sys
print(sum(c["state"] == "open" for c in json.load(sys.stdin)["payload"]["injectors"]))'
}

injectors_are() {
    [ "$(injectors)" = "$1" ]
}

# sockets: how many packet sockets this namespace has; the kernel takes a while to end one.
sockets_are() {
    [ "$(tail -n +2 /proc/net/packet | wc -l)" = "$1" ]
}

# inject USER ARGUMENT...
inject() {
    as "$1" python3 $work/build/inject.py "${@:2}"
}

# listen COUNT: in the background, to $work/heard; the listener's process is $listener.
listen() {
    rm -f $work/heard
    inside sender python3 "$tests/inject.py" listen s0 "$1" >$work/heard &
    # shellcheck disable=SC2034 # for who sources this
    listener=$!
    within 10 "somebody listens" grep -q ready $work/heard
}

# heard: the frames that came.
heard() {
    tail -n +2 $work/heard
}
