#!/bin/bash
# Prefixes of groups and of sources, of both families, and more of them than a socket takes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

# check WHAT GROUPS SOURCES FAMILY PATTERN: so many groups, and sources of them, are joined on r0.
check() {
    equal "$1: groups" "$2" "$(count_groups r0 "$4" "$5")"
    equal "$1: sources" "$3" "$(count_sources r0 "$4" "${6:-$5}")"
}

# COUNT PATTERN, of IPv4 on r0
groups_are() {
    [ "$(count_groups r0 4 "$2")" = "$1" ]
}
sources_are() {
    [ "$(count_sources r0 4 "$2")" = "$1" ]
}
memberships_are() {
    [ "$(status_of joins.memberships)" = "$1" ]
}

make_topology
show_sources
start_daemon

nb join add --group 225.1.2.0/24 --iif r0
check /24 256 0 4 '^..0201E1'
nb join add --group 225.3.3.64/26 --iif r0
check /26 64 0 4 '^..0303E1'
nb join add --source 10.0.0.1 --group 232.4.4.4/30 --iif r0
check /30 4 4 4 '^..0404E8' '^0xe80404.. 0x0a000001 1 0'
nb join add --group ff2e::40/122 --iif r0
check /122 64 0 6 '^ff2e.*00[4-7].$'
nb join add --source fc00::1 --group ff3e::100/126 --iif r0
check /126 4 4 6 '^ff3e.*10[0-3]' '^ff3e.*10[0-3] fc00.*0001 1 0'

# More than 10 sources of one group, and 64 of an IPv6 one, which one socket takes.
nb join add --source 10.8.0.0/25 --group 232.5.5.5 --iif r0
check "/25 of sources" 1 128 4 '^050505E8' '^0xe8050505 0x0a0800.. 1 0'
nb join add --source fd08::/120 --group ff3e::5:5 --iif r0
check "/120 of sources" 1 256 6 '^ff3e.*00050005' '^ff3e.*00050005 fd08'
nb join add --source 10.8.0.0/30 --group 232.6.6.0/28 --iif r0
check "both" 16 64 4 '^..0606E8' '^0xe80606.. 0x0a0800'

# Any source and one source of a group do not hinder each other.
nb join add --group 232.5.5.5 --iif r0
equal "sources excluded and included" "1 0" \
    "$(sources r0 4 | awk '/e8050505 0x0a080001/ {print $3, $4}')"
nb join del --source 10.8.0.0/25 --group 232.5.5.5 --iif r0
within 2 "the sources are left" sources_are 0 '^0xe8050505'
is_member r0 232.5.5.5 || fail "any source was left with the sources"
nb join del --group 232.5.5.5 --iif r0

# Overlapping joins share what both want.
nb join add --group 225.1.2.128/25 --iif r0
nb join del --group 225.1.2.0/24 --iif r0
within 5 "half of the /24 is left" groups_are 128 '^..0201E1'
is_member r0 225.1.2.200 || fail "225.1.2.200 was left though the /25 wants it"

# The largest, and the limit.
before=$(now_ms)
nb join add --group 226.0.0.0/20 --iif r0
echo "4096 groups joined in $(($(now_ms) - before)) ms"
equal "groups of the /20" 4096 "$(count_groups r0 4 '^....00E2')"
before=$(now_ms)
nb join add --group 227.0.0.0/20 --iif r1
nb ping >/dev/null
reply=$(json '{"action": "ADD_JOIN", "payload": {"group": "228.0.0.0/20", "iif": "r0"}}')
equal "one too many" limit "$(member code <<<"$reply")"
refused limit '{"action": "ADD_JOIN", "payload": {"group": "228.0.0.0/19", "iif": "r0"}}'

# Others are served while much is left.
nb join del --group 226.0.0.0/20 --iif r0
nb ping >/dev/null
within 20 "the /20 is left" groups_are 0 '^....00E2'

for row in $(nb --json join show | python3 -c '
import json, sys
for join in json.load(sys.stdin)["joins"]:
    print(join["source"], join["group"], join["iif"], sep=",")'); do
    IFS=, read -r source group iif <<<"$row"
    nb join del --source "$source" --group "$group" --iif "$iif" >/dev/null
done
within 20 "nothing is joined" memberships_are 0
check "all that was left" 0 0 4 'E[1238]$'
