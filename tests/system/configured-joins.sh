#!/bin/bash
# Joins of the administrator's files: in force at the start, applied as a difference at a reload,
# shared with those of clients, never left over a broker's death, and wrong lines change nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"

make_topology
show_sources
mkdir $work/multicast.d
cat >$work/multicast.conf <<'END'
join group 239.1.0.0/24 iif r0
join group 232.1.1.1 source 10.1.0.0/28 iif r0
join group 239.4.4.4 iif late # waits
END
echo "join group ff0e::1:0/124 iif r0" >$work/multicast.d/10-more.conf

contains "what --check-config says" "4 routes and joins, no mistakes" \
    "$("$build/daemon/netbrokerd" --check-config --multicast $work/multicast.conf)"
start_daemon --multicast $work/multicast.conf

memberships_are() {
    [ "$(status_of joins.memberships)" = "$1" ]
}

reload() {
    kill -HUP $daemon
    within 5 "the reload: $1 memberships" memberships_are "$1"
}

within 5 "all is joined" memberships_are 288
equal "239.1.0.x" 256 "$(count_groups r0 4 '^..0001EF')"
equal "sources of 232.1.1.1" 16 "$(count_sources r0 4 '^0xe8010101')"
equal "origin and state" "configuration waiting" \
    "$(nb join show | awk '$2 == "239.4.4.4" {print $5, $4}')"
nb join add --group 239.9.9.9 --iif r0
nb join add --group ff0e::1:0/124 --iif r0
equal "owners of ff0e::1:0/124" 2 "$(nb join show --family ipv6 | awk 'NR == 2 {print $7}')"
sleep 2.5

# Unchanged, over a broker's death, and over another reload: nothing is said.
listen sender s0
reload 289
kill -KILL "$(status_of broker.pid)"
nb ping >/dev/null
within 5 "another broker has joined all" memberships_are 289
equal "joins of the files" 4 "$(nb join show | grep -c configuration)"
equal "owners of ff0e::1:0/124" 2 "$(nb join show --family ipv6 | awk 'NR == 2 {print $7}')"
reload 289
restarts_expected=1
equal "what the link heard" "joins 0 leaves 0" "$(reports)"
nb join del --group 239.9.9.9 --iif r0
sleep 2.5

# Half of the prefix, and the drop-in gone, but for what a client holds.
listen sender s0
echo "join group 239.1.0.0/25 iif r0" >$work/multicast.conf
rm $work/multicast.d/10-more.conf
reload 144
equal "239.1.0.x" 128 "$(count_groups r0 4 '^..0001EF')"
equal "what is shown" "239.1.0.0/25 ff0e::1:0/124" \
    "$(nb join show | awk 'NR > 1 {print $2}' | sort | xargs)"
contains "what the link heard" "joins 0 " "$(reports)" # nothing was left and joined again

# A wrong line, and too much of them, change nothing.
wrong() {
    echo "$1" >>$work/multicast.conf
    before=$(grep -c "stays as it was" $work/daemon.log || true)
    kill -HUP $daemon
    within 5 "the reload of '$1' is refused" refused_again "$before"
    grep -q "multicast.conf:2: .*$2" $work/daemon.log || fail "the log does not say '$2'"
    equal "memberships" 144 "$(status_of joins.memberships)"
    sed -i '$d' $work/multicast.conf
}
refused_again() {
    [ "$(grep -c "stays as it was" $work/daemon.log)" -gt "$1" ]
}
wrong "join group 239.0.0.0/8 iif r0" "more than 4096 memberships"
wrong "join group 239.1.1.1 iif r+" "is a pattern"
wrong "join group 239.1.1.1" "iif"
wrong "join group 10.0.0.1 iif r0" "not a multicast"
