#!/bin/bash
# A user sends what the policy and the service's settings let him, byte for byte; other interfaces,
# EtherTypes, addresses and VLANs are out of reach, by the request and by each frame.
# shellcheck disable=SC2086,SC2154 # work: of lib.sh; others are numbers
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"

serve
own=$(ip -j link show r0 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["address"].replace(":", ""))')
all=ffffffffffff
payload=$(printf '5a%.0s' {1..50})
r0='"interface": "r0"'

# can_open USER FIELDS; cannot USER FIELDS: the answer is in $work/denied.
can_open() {
    inject "$1" send "{$2}" || fail "$1 cannot open {$2}"
}
cannot() {
    ! inject "$1" send "{$2}" >$work/denied 2>&1 || fail "$1 can open {$2}"
    contains "the answer to {$2}" "${3:-may not do}" "$(cat $work/denied)"
}

# What is asked for is what the policy must cover.
grant='"ethertypes": ["sv"], "destinations": ["01:0c:cd:04:00:00/32"], "vlans": ["100"]'
equal "within all conditions" "sent 0 " "$(can_open operator "$r0, $grant")"
cannot stranger "$r0"
cannot member '"interface": "r1"'
cannot member '"interface": "r2"' "inject-interfaces of netbrokerd.conf(5) does not name it"
cannot operator "$r0"
cannot operator "$r0, ${grant/sv/arp}"
cannot operator "$r0, ${grant/04:00:00\/32/05:00:00\/32}"
cannot operator "$r0, ${grant/\/32/\/31}"
cannot operator "$r0, ${grant/\/32/\/24}" "is none"
cannot operator "$r0, ${grant/01:0c:cd:04:00:00\/32/00:00:00:00:00:00\/1}"
cannot operator "$r0, ${grant/100/102}"
cannot operator "$r0, ${grant/, \"vlans\"*/}"
cannot operator "$r0, $grant, \"sources\": [\"any\"]"
cannot operator "$r0, $grant, \"sources\": [\"own\", \"02:00:00:00:00:02\"]"
cannot operator "$r0, $grant, \"rate\": 5001"
equal "the least of what a rule and a user have" 5000 "$(json "{\"action\": \"OPEN_INJECT\",
    \"payload\": {$r0, $grant, \"rate\": 5000, \"dry_run\": true}}" | member payload.rate)"

# Frames arrive byte for byte, with their tags.
listen 7
frames=("$all${own}0800$payload" "$all${own}81000064""88b5$payload"
    "$all${own}8100e065""88ba$payload" "$all${own}88a800648100006588b5$payload"
    "0180c2000000${own}0026$payload" "$all${own}88b5$(printf 'a5%.0s' {1..1500})")
equal "what became of them" "sent 6 " \
    "$(can_open member "$r0, \"destinations\": [\"ff:ff:ff:ff:ff:ff\", \"01:80:c2:00:00:00\"]" \
        2>&1 >/dev/null; inject member send "{$r0}" "${frames[@]}")"
equal "from another station" "sent 1 " \
    "$(inject member send "{$r0, \"sources\": [\"any\"]}" "${all}02deadbeef0188b5$payload")"
wait $listener
equal "what came" "$(printf '%s\n' "${frames[@]}" "${all}02deadbeef0188b5$payload")" "$(heard)"

# Each frame is held to what was asked for; the rest goes on.
listen 4
narrow="$r0, \"ethertypes\": [\"sv\", \"0x88b5\"], \"sources\": [\"own\", \"02:00:00:00:00:01\"],
    \"destinations\": [\"ff:ff:ff:ff:ff:ff\", \"01:0c:cd:04:00:00/32\"],
    \"vlans\": [\"none\", \"100\", \"101\"]"
expected="sent 4 100:source:64 101:ethertype:64 102:ethertype:68 103:ethertype:72 104:ethertype:76"
expected+=" 105:destination:64 106:vlan:68 107:vlan:72 108:too-short:13 109:too-short:16"
expected+=" 110:source:64 111:ethertype:64 112:ethertype:68"
equal "what became of them" "$expected" "$(inject operator send "{$narrow}" \
    "${all}02000000000288b5$payload" "$all${own}0800$payload" "$all${own}810000640800$payload" \
    "$all${own}88a80064810000650800$payload" "$all${own}81000064810000648100006488b5$payload" \
    "010ccd050000${own}88b5$payload" "$all${own}8100006688b5$payload" \
    "$all${own}88a8000581000064""88b5$payload" "$all${own}88" "$all${own}81000064" \
    "${all}03000000000188b5$payload" "$all${own}0040$payload" "$all${own}910000""6488b5$payload" \
    "$all${own}88ba$payload" "010ccd04ffff02000000000188b5$payload" \
    "$all${own}8100006588ba$payload" "$all${own}88a800648100006588ba$payload")"
wait $listener
equal "what came" "$(printf '%s\n' "$all${own}88ba$payload" \
    "010ccd04ffff02000000000188b5$payload" "$all${own}8100006588ba$payload" \
    "$all${own}88a800648100006588ba$payload")" "$(heard)"

# The interface's own address is the one that it has now.
ip link set r0 address 02:00:00:00:00:77
equal "the old and the new address" "sent 1 100:source:64" "$(inject member send "{$r0}" \
    "$all${own}88b5$payload" "${all}02000000007788b5$payload")"

# What a client changes after it has published is not sent, and is never a mixture.
listen 20000 2>/dev/null
equal "frames that were rewritten" 3000 "$(inject member rewrite \
    "{$r0, \"ethertypes\": [\"0x88b5\"], \"sources\": [\"any\"], \"rate\": 1000000}" 3000)"
rewritten() {
    heard | grep ^ffffffffffff020000000001 | cut -c 25-28
}
some_rewritten() {
    [ "$(rewritten | grep -c 88b5 || true)" -gt 0 ]
}
within 10 "some of them arrive" some_rewritten
kill $listener
wait $listener 2>/dev/null || true
equal "frames of another EtherType" 0 "$(rewritten | grep -vc 88b5 || true)"

# Lies end the ring of who tells them, with the reason; and the memory is the service's.
equal "lies" "index index index record record record 7:flags 8:too-short" \
    "$(inject member lie "{$r0}")"
equal "fences" fenced "$(inject member fences "{$r0}")"
contains "refusals that nobody reads" "{'source': 500} told 64 untold 436" \
    "$(inject member refused "{$r0}" 500)"
within 10 "nothing is left" injectors_are 0
within 10 "no socket is left" sockets_are 0
