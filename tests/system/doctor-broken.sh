#!/bin/bash
# Set-ups that are broken as they are found in practice, each made for real: the doctor blames what
# is the cause, and nothing else.
. "$(dirname "$0")/lib.sh"
. "$tests/doctor-lib.sh"

flow=(--source 10.1.0.2 --group 239.1.1.1)
flow6=(--source fd00:1::2 --group ff05::1)

make_topology
start_daemon --state "$work/state/state"
nb mfc add "${flow[@]}" --iif r0 --oifs r1
nb mfc add "${flow6[@]}" --iif r0 --oifs r1
flow 239.1.1.1 10 10 0
flow ff05::1 10 10 0
healthy "${flow[@]}"
healthy "${flow6[@]}"

# 1. A sender of another subnet than the filter of sources knows a way back to.
ip route add 10.1.0.2/32 dev r2
sysctl -qw net.ipv4.conf.r0.rp_filter=1
flow 239.1.1.1 10 0 0
blames rp-filter "${flow[@]}"
sysctl -qw net.ipv4.conf.r0.rp_filter=0
ip route del 10.1.0.2/32 dev r2
blames "" "${flow[@]}"

# 2. An entry that another process deletes, again and again, and VIFs that it flushes. The first times
# are undone at once.
# damage DOCTOR_SAYS QUESTION WORD...: until the doctor sees it.
damage() {
    local i

    for ((i = 0; i < 100; i++)); do
        python3 "$tests/foreign.py" "${@:3}"
        # shellcheck disable=SC2086 # options
        if spoken $2 | grep "$1" >/dev/null; then
            return
        fi
        sleep 0.1
    done
    fail "the doctor does not say '$1'"
}
damage "another process deleted it" "${flow[*]}" delete 10.1.0.2 239.1.1.1
damage "another process changed it" "${flow[*]}" add 10.1.0.2 239.1.1.1 1
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs r1
for question in "${flow[*]}" "--group 239.2.1.1" "--iif r0"; do
    damage "no VIF for r0 any more" "$question" flush-vifs
done
is_undone() {
    ! spoken "${flow[@]}" | grep "another process"
}
within 10 "it is undone" is_undone
flow 239.1.1.1 10 10 0
flow ff05::1 10 10 0
healthy "${flow[@]}"
healthy "${flow6[@]}"

# 4. An MTU that was below the least of IPv6 for a moment: the interface forwards.
ip link set r0 mtu 1200
ip link set r0 mtu 1500
ip address add fd00:1::1/64 dev r0 nodad
equal "mc_forwarding of r0" 0 "$(cat /proc/sys/net/ipv6/conf/r0/mc_forwarding)"
flow ff05::1 10 10 0
healthy "${flow6[@]}"
blames "" --iif r0

# 5. Discovery in one subnet, which people want across two.
blames discovery --group 224.0.0.251
says "needs a relay" --group 224.0.0.251
blames discovery --group ff02::fb
blames discovery --group 224.0.0.252
blames discovery --group ff02::1:3
nb mfc add --group 239.255.255.250 --iif r0 --oifs r1
nb mfc add --group ff05::c --iif r0 --oifs r1
finds discovery warning --group 239.255.255.250
finds discovery warning --group ff05::c
silent relay "${flow[@]}"

# 6. No route, while packets come.
send 239.3.1.1 10
blames "route unrouted" --source 10.1.0.2 --group 239.3.1.1

observe=3000

# 7. A TTL of 1, beside another flow that leaves by the same interface: some packets each.
# stream GROUP PACKETS_A_SECOND TTL: until end_streams.
# shellcheck disable=SC2154 # make_topology sets it
stream() {
    # shellcheck disable=SC2154 # sender: by make_topology
    nsenter --target "$sender" --net -- "$build/tests/system/mcsend" s0 "$1" 100000 "$2" "$3" \
        >/dev/null &
    streams+=($!)
}
end_streams() {
    kill "${streams[@]}" 2>/dev/null || true
    wait "${streams[@]}" 2>/dev/null || true
    streams=()
}
streams=()
nb mfc add --source 10.1.0.2 --group 239.1.1.7 --iif r0 --oifs r1,r2
stream 239.1.1.1 100 1
stream 239.1.1.7 400 8
sleep 0.3
blames ttl "${flow[@]}"
says "their TTL is not greater than 1" "${flow[@]}"
blames "" --source 10.1.0.2 --group 239.1.1.7
end_streams
stream 239.1.1.1 400 1
stream 239.1.1.7 100 8
sleep 0.3
blames ttl "${flow[@]}"
says "It is sure" "${flow[@]}"
blames "" --source 10.1.0.2 --group 239.1.1.7
end_streams
stream ff05::1 100 1
sleep 0.3
blames ttl "${flow6[@]}"
end_streams
stream ff05::1 100 8
sleep 0.3
blames "" "${flow6[@]}"
end_streams

# 8. A firewall that drops in its forward hook: of nft, and of iptables in both its forms. Another
# flow by the same interface changes nothing.
firewalled() {
    stream 239.1.1.1 100 8
    sleep 0.3
    blames firewall "${flow[@]}"
    end_streams
}
nft_works() {
    nft add table inet firewall 2>/dev/null
}
if nft_works; then
    nft add chain inet firewall forward '{ type filter hook forward priority 0; policy drop; }'
    firewalled
    stream ff05::1 100 8
    sleep 0.3
    blames firewall "${flow6[@]}"
    end_streams
    nft delete table inet firewall
    # A rule for one of two flows, and unicast packets that leave by the same interface.
    nft_works
    nft add chain inet firewall forward '{ type filter hook forward priority 0; policy accept; }'
    nft add rule inet firewall forward ip daddr 239.1.1.1 drop
    python3 -c '
import socket, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        out.sendto(b"unicast", ("10.2.0.2", 9))
    except ConnectionRefusedError:
        pass
    time.sleep(0.002)' &
    streams+=($!)
    stream 239.1.1.7 300 8
    firewalled
    stream 239.1.1.1 100 8
    stream 239.1.1.7 400 8
    sleep 0.3
    blames "" --source 10.1.0.2 --group 239.1.1.7
    end_streams
    nft delete table inet firewall
else
    echo "not tested: a firewall of nft, which is not here"
fi
for iptables in iptables-nft iptables-legacy; do
    if $iptables -P FORWARD DROP 2>/dev/null; then
        firewalled
        $iptables -P FORWARD ACCEPT
    else
        echo "not tested: a firewall of $iptables, which is not here"
    fi
done
flow 239.1.1.1 10 10 0

# A client that goes while its flow is watched, and a service that stops meanwhile.
nb doctor --observe 5000 "${flow[@]}" >/dev/null &
sleep 0.3
kill $!
nb ping >/dev/null
nb doctor --observe 5000 "${flow[@]}" >/dev/null 2>&1 &
sleep 0.3
stop_daemon
