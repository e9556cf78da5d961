#!/bin/bash
# Joins in files: those of SMCRoute's configuration, as the real smcrouted(8) makes them where there
# is one ($SMCROUTED), and those beside the routes of a set.
. "$(dirname "$0")/lib.sh"
smcrouted=${SMCROUTED:-smcrouted}

# What r0, r1 and r2 have joined by the kernel's word, without what every interface has. It shows the
# sources of an interface only where the latest join has some, so r2 has no others.
memberships() {
    local interface

    for interface in r0 r1 r2; do
        ip maddr show dev $interface | awk -v name=$interface \
            '$1 ~ /inet/ && $2 !~ /^(224\.0\.0\.|ff02:|ff01:)/ {print name, $2}'
    done | sort
    awk '$2 ~ /^r[012]$/ {print $2, $3, $4}' /proc/net/mcfilter | sort
}

joined() {
    [ "$(memberships | grep -c .)" -ge "$1" ]
}

make_topology
cat >$work/smcroute.conf <<'END'
phyint r0 enable
phyint r1 enable
phyint r2 enable
mgroup from r0 group 225.1.2.3
mgroup from r0 group 225.1.3.0/30
mgroup from r2 source 10.2.0.2 group 232.1.1.1
ssmgroup from r2 group 232.1.2.0/31 source 10.2.0.4/31
mgroup from r0 group ff0e::1:2
mgroup from r1+ group 225.1.4.1
mroute from r0 group 225.1.2.3 to r1
END

nb mfc import $work/smcroute.conf --print >$work/lines 2>$work/err
equal "lines" "join group 225.1.2.3 iif r0
join group 225.1.3.0/30 iif r0
join source 10.2.0.2 group 232.1.1.1 iif r2
join source 10.2.0.4/31 group 232.1.2.0/31 iif r2
join group ff0e::1:2 iif r0
join group 225.1.4.1 iif r1
route group 225.1.2.3 iif r0 oifs r1" "$(cat $work/lines)"
contains "standard error" "'r1+' is a pattern for the interfaces that exist now" "$(cat $work/err)"

if [ "$(id -u)" = 0 ] && command -v "$smcrouted" >/dev/null; then
    "$smcrouted" -n -f $work/smcroute.conf -u $work/smcroute.sock -P $work/smcroute.pid \
        2>$work/smcroute.log &
    peer=$!
    within 10 "smcrouted has joined" joined 15
    memberships >$work/theirs
    kill $peer
    wait $peer || true
fi
start_daemon
equal "what is said" "Added: 1 route, 6 joins." "$(nb mfc import $work/smcroute.conf 2>/dev/null)"
within 5 "the service has joined" joined 15
memberships >$work/ours
if [ -e $work/theirs ]; then
    diff -y $work/theirs $work/ours || fail "smcrouted (left) and the service (right) differ"
fi

# Joins beside the routes of a set: they are tried before it, and added behind it.
cat >$work/set <<'END'
route group 225.1.2.3 iif r0 oifs r1
join group 225.9.9.9 iif r0
join group 225.9.9.8 iif r9 # that is not there yet
END
nb mfc replace -f $work/set --dry-run >$work/out
contains "what is said" "Joins: 2." "$(cat $work/out)"
equal "joins of a trial" 0 "$(memberships | grep -c 225.9.9.9 || true)"
nb mfc replace -f $work/set >/dev/null
within 5 "the join is there" eval "memberships | grep 'r0 225.9.9.9'"

# One that the service refuses leaves the routes as they are.
printf 'route group 225.1.2.9 iif r0 oifs r1\njoin group 225.0.0.0/8 iif r0\n' >$work/bad
status=0
nb mfc replace -f $work/bad 2>$work/err || status=$?
equal "exit status" 1 $status
contains "standard error" "$work/bad:2: " "$(cat $work/err)"
equal "routes" 225.1.2.3 "$(nb --json mfc show | member mfc_rules.0.group)"
