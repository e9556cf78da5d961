# shellcheck shell=bash
# For the tests of joins, behind lib.sh: what the kernel says of memberships.
# shellcheck disable=SC2154,SC2086 # work and tests are lib.sh's, and have no spaces

# groups INTERFACE 4|6: all that are joined there, one a line, as the kernel's own tables have them.
groups() {
    if [ "$2" = 4 ]; then
        awk -v dev="$1" '/^[0-9]/ {there = ($2 == dev); next} there && NF {print $1}' /proc/net/igmp
    else
        awk -v dev="$1" '$2 == dev {print $3}' /proc/net/igmp6
    fi
}

# The kernel shows sources only from the first interface on whose newest group has some
# (igmp_mcf_get_first of net/ipv4/igmp.c, igmp6_mcf_get_first of net/ipv6/mcast.c), which is none,
# say, when interfaces came up after they were joined. From here on it is lo.
show_sources() {
    python3 - >$work/shown <<'END' &
import socket, struct, time
MCAST_JOIN_SOURCE_GROUP = 46
v4, v6 = (socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6))
def join(s, level, group, source):
    s.setsockopt(level, MCAST_JOIN_SOURCE_GROUP, struct.pack("I4x128s128s", 1, group, source))
def v4_address(text):
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(text))
def v6_address(text):
    return struct.pack("HHI16s", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, text))
join(v4, socket.IPPROTO_IP, v4_address("232.0.0.1"), v4_address("127.0.0.1"))
join(v6, socket.IPPROTO_IPV6, v6_address("ff3e::1"), v6_address("::1"))
print("joined", flush=True)
time.sleep(600)
END
    within 10 "lo has sources" grep -q joined $work/shown
}

# sources INTERFACE 4|6: "GROUP SOURCE INCLUDED EXCLUDED" of each that is joined from a source.
sources() {
    awk -v dev="$1" '$2 == dev {print $3, $4, $5, $6}' "/proc/net/mcfilter${2#4}"
}

count_groups() {
    groups "$1" "$2" | grep -ci "$3" || true
}

count_sources() {
    sources "$1" "$2" | grep -ci "$3" || true
}

# is_member INTERFACE GROUP: as ip(8) tells.
is_member() {
    [ -n "$(ip maddr show dev "$1" | awk -v group="$2" '$2 == group')" ]
}

no_member() {
    ! is_member "$@"
}

# join_is STATE GROUP
join_is() {
    [ "$(nb --json join show | python3 -c '
import json, sys
print(*(join["state"] for join in json.load(sys.stdin)["joins"] if join["group"] == sys.argv[1]))
' "$2")" = "$1" ]
}

join_count() {
    status_of joins.joins
}

# listen NAMESPACE INTERFACE: counts reports from now on; reports prints the counts.
listener=
listen() {
    nsenter --target "${!1}" --net -- python3 "$tests/mcreports.py" "$2" >$work/reports &
    listener=$!
    within 10 "the listener listens" grep -q listening $work/reports
}

# heard_leaves WHAT: some, and no joins. How often each is said is the kernel's affair.
heard_leaves() {
    local heard

    heard=$(reports)
    [[ $heard == "joins 0 leaves "[1-9]* ]] || fail "$1: the link heard '$heard'"
}

# The kernel says each change twice, the second time up to a second later (RFC 3376, 8.11).
reports() {
    sleep "${1:-2.5}"
    kill -TERM $listener
    within 5 "the listener has counted" grep -q leaves $work/reports
    tail -n 1 $work/reports
}
