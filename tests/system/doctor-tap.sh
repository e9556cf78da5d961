#!/bin/bash
# Each cause for which a tap carries no frames is made for real, and the doctor names it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

serve

# examine TAP: the doctor's reply, into $reply. The exit status is 1 where there is a problem.
examine() {
    local status=0 problems

    reply=$(nb_as member --json doctor tap "$1") || status=$?
    problems=$(grep -c '"verdict":"problem"' <<<"$reply") || true
    equal "the exit status of 'doctor tap $1' ($reply)" $((problems > 0)) $status
}

# has CHECK VERDICT TEXT: the last reply has such a finding, whose message holds the text.
has() {
    python3 -c 'import json, sys
findings = json.loads(sys.argv[4])["findings"]
sys.exit(not any((f["check"], f["verdict"]) == (sys.argv[1], sys.argv[2]) and sys.argv[3] in f["message"]
                 for f in findings))' "$@" "$reply"
}

# finds TAP CHECK VERDICT TEXT
finds() {
    examine "$1"
    has "${@:2}" || fail "no $3 of $2 with '$4' in $reply"
}

# healthy TAP: neither a problem nor a warning.
healthy() {
    examine "$1"
    ! grep -E '"(problem|warning)"' <<<"$reply" || fail "$1 should be healthy"
    contains "the summary" "Nothing was found" "$reply"
}

# A tap of which all is well.
guest nb-a 'hosts=["192.168.7.1/24"]'
pings "at first"
healthy nb-a
has carrier ok "A program has nb-a" || fail "the carrier: $reply"
has address ok "1" || fail "the address: $reply"
has neighbours ok "1" || fail "the neighbours: $reply"
contains "for people" "Nothing was found" "$(nb_as member doctor tap nb-a)"
denied "a stranger" nb_as stranger doctor tap nb-a
equal "one that is not there" "netbroker: there is no tap 'nb-none'" \
    "$(nb_as member doctor tap nb-none 2>&1 | cut -d . -f 1 || true)"

# The link, its MTU, its address.
ip link set nb-a mtu 1400
finds nb-a mtu warning "The MTU of nb-a is 1400, and it was opened with 1500"
ip link set nb-a mtu 1500
ip address del 192.168.7.1/24 dev nb-a
finds nb-a address problem "192.168.7.1/24"
ip address add 192.168.7.1/24 dev nb-a
ip link set nb-a down
finds nb-a link problem "nb-a is down"
ip link set nb-a up
pings "again"
healthy nb-a

# ARP without an answer.
ping -c 1 -W 1 -q 192.168.7.99 >/dev/null || true
finds nb-a neighbours problem "192.168.7.99"

# A program that is stopped: frames are dropped.
kill -STOP "${guests[nb-a]}"
python3 "$tests/link_peer.py" shout nb-a 3000
finds nb-a drops warning "did not take them in time"
kill -CONT "${guests[nb-a]}"
end_guest nb-a
within 10 "it is gone" nothing_is_left

# A program that takes the carrier: TUNSETCARRIER of linux/if_tun.h.
setpriv --reuid member --regid member --init-groups $work/build/client/netbroker tap exec nb-c -- python3 -c '
import fcntl, struct, sys, time
fcntl.ioctl({fd}, 0x400454e2, struct.pack("i", 0))
print("taken", flush=True)
time.sleep(60)' >$work/carrier 2>&1 &
holder=$!
within 10 "the carrier is taken" grep -q taken $work/carrier
finds nb-c carrier problem "TUNSETCARRIER"
has address info "no address" || fail "no address: $reply"
kill $holder

# A persistent one that nobody has opened.
nb_as member tap open nb-p --persistent --hosts 192.168.7.1/24 >/dev/null
finds nb-p carrier problem "No program has opened nb-p"
contains "who may open it" "3001" "$reply"
nb_as member tap close nb-p >/dev/null
within 10 "nothing is left" nothing_is_left

# A bridge: alone, with taps alone, with an uplink; down; with STP.
ip link add br0 type bridge
ip link set br0 up
guest nb-b 'bridge="br0"'
finds nb-b bridge warning "only port of br0"
has uplink warning "nothing beyond them" || fail "no uplink: $reply"
ip address add 192.168.7.1/24 dev br0
finds nb-b uplink info "by the host's address"
ip address del 192.168.7.1/24 dev br0
ip link add up0 type veth peer name up1
ip link set up1 up
ip link set up0 master br0 up
healthy nb-b
has uplink ok "ports that are no taps: 1" || fail "the uplink: $reply"
ip link set br0 down
finds nb-b bridge problem "br0 is down"
ip link set br0 up
within 10 "the port forwards" healthy nb-b

# Longer frames than another port takes.
ip link set up0 mtu 1300
finds nb-b mtu problem "nb-b has the MTU 1500, and up0 of the same bridge 1300"
printf '%s\n' "[allow members to have ports of one bridge]" "group = netbroker" "verbs = tap.*" \
    "interfaces = nb-*, br0" >$work/narrow.conf
cp $work/policy.conf $work/wide.conf
set_policy() {
    cp $work/"$1" $work/policy.conf
    kill -HUP "$(status_of keeper.pid)"
}
names_nobody() {
    examine nb-b
    has mtu problem "and another port of the same bridge 1300"
}
set_policy narrow.conf
within 10 "a port that a user may not read has no name" names_nobody
set_policy wide.conf
ip link set up0 mtu 1500
within 10 "the bridge is well again" healthy nb-b

# Isolated ports, and offload that differs.
guest nb-i 'bridge="br0"' isolated=true offload=true
finds nb-i isolated info "0 other isolated ports"
has offload warning "has offload on, and 1 other taps" || fail "the offload: $reply"
finds nb-b offload warning "has offload off"
bridge link set dev nb-b isolated on
bridge link set dev up0 isolated on
finds nb-i isolated problem "reaches none of them"
bridge link set dev nb-i isolated off
finds nb-i isolated warning "is none"
end_guest nb-i
within 10 "it is gone" test "$(taps)" = nb-b
bridge link set dev nb-b isolated off

# STP: a port that comes waits, and a bridge is not what it was opened for.
ip link set br0 type bridge stp_state 1 forward_delay 400
taken_out() {
    ip link set nb-b nomaster
    finds nb-b bridge problem "no port of br0"
}
within 10 "before the service puts it back" passes taken_out
ip link set nb-b master br0
finds nb-b stp problem "a new port waits for 8 s"
ip link set br0 type bridge stp_state 0
ip link set nb-b nomaster
ip link set nb-b master br0

# The bridge is gone.
ip link del br0
waits() {
    examine nb-b
    has state problem "waits for its bridge br0"
}
within 10 "it waits" waits
end_guest nb-b
within 10 "nothing is left" nothing_is_left

# A relay whose client does not read.
mkdir -m 755 $work/member
chown member $work/member
setpriv --reuid member --regid member --init-groups $work/build/client/netbroker --json link serve nb-l --hosts 192.168.7.1/24 \
    --listen $work/member/s >$work/relay 2>&1 &
relay=$!
within 10 "the relay" grep -q ready $work/relay
python3 "$tests/link_peer.py" idle $work/member/s >$work/idle &
idle=$!
stalls() {
    python3 "$tests/link_peer.py" shout nb-l 2000
    examine nb-l
    has relay warning "did not read"
}
within 20 "a client that is stalled" stalls
contains "which client" "#1" "$reply"
kill $idle $relay
