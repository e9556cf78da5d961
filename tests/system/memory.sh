#!/bin/bash
# The whole service under valgrind's memcheck, through all that routes can go through: no read of
# what was never written, nothing beside the allocated, and no leak of either half in the end.
# Landlock and seccomp are unknown to valgrind, so the service runs without them here.
. "$(dirname "$0")/lib.sh"

command -v valgrind >/dev/null || skip "no valgrind here"
! grep -q '^NB_SANITIZE:STRING=.' "$build/CMakeCache.txt" || skip "this build has sanitizers"
! grep -q 'fprofile-instr' "$build/CMakeCache.txt" || skip "this build counts its lines, too slow here"

reload() {
    kill -HUP "$daemon"
    sleep 0.5
    nb ping >/dev/null
}

make_topology
cat >$work/config <<END
[limits]
unmatched-flows = 16
END
echo "route source 10.1.0.2 group 239.5.1.1 iif r0 oifs r1" >$work/multicast.conf
"${as_daemon[@]}" valgrind --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=no --vgdb=no \
    --log-fd=9 "$build/daemon/netbrokerd" --foreground --socket $socket \
    --config $work/config --multicast $work/multicast.conf --state $work/state/routes \
    --log-level debug 9>>$work/valgrind 2>>$work/daemon.log &
daemon=$!
within 60 "netbrokerd serves" nb ping
{ nb --json watch || true; } >/dev/null 2>&1 &

# Additions, changes and refusals.
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2 --ttls 1,2
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1
nb mfc add --group 239.1.1.2 --iif r1 --oifs r0
nb mfc add --group 239.2.0.0/16 --iif r+ --oifs r+ --idle 2
nb mfc add --group ff0e::/96 --iif r0 --oifs r2
nb mfc add --source 10.3.0.2 --group 239.3.1.1 --iif r2 --oifs r1 --table 100
nb mfc add --group 239.4.0.0/16 --iif late0 --oifs late1,r1 --wait
nb join add --group 239.9.0.0/28 --iif r1
nb join add --source 10.1.0.2 --group 239.9.1.1 --iif r1
nb join add --group ff0e::9 --iif late0 --wait
nb join del --group 239.9.0.0/28 --iif r1
nb mfc add --source 10.1.0.2 --group 239.1.1.9 --iif r0 --oifs eth99 2>/dev/null && fail "eth99"
nb mfc add --group 239.1.1.0/33 --iif r0 --oifs r1 2>/dev/null && fail "/33"
python3 "$tests/protocol.py" hold '{"action": "ADD_MFC", "payload": {"source": "10.1.0.2",
    "group": "239.1.1.1", "iif": "r0", "oifs": ["r1"], "while_connected": true}}' >$work/session &
session=$!
within 10 "the session holds it" grep -q success $work/session

# Flows, and floods.
flow 239.1.1.1 10 10 0
flow 239.2.1.1 1 1 1 # one: what comes while valgrind thinks has no place in the kernel
flow ff0e::7 1 0 1
send 239.2.0.0 500 500 8 500
send 239.200.0.0 500 1000 8 500

# Interfaces.
ip link set r1 down
ip link set r1 name late1
ip link set late1 up
ip link add late0 type veth peer name late2
ip link delete r2
connect 2 receiver2 d2
ip link delete late0
ip link set late1 down
ip link set late1 name r1
ip link set r1 up

# Shows, sets and files.
for command in show "mfc show" "vif show" "join show" leases status metrics "metrics --routes" describe doctor; do
    read -ra words <<<"$command"
    nb "${words[@]}" >/dev/null || true
done
printf 'route source 10.1.0.2 group 239.6.1.%s iif r0 oifs r1\n' 1 2 3 >$work/set
nb mfc replace --file $work/set
printf 'route group 239.6.0.0/16 iif r0 oifs r1\nroute group 239.7.1.1 iif r0 oifs r1\n' >$work/set
nb mfc replace --file $work/set --dry-run >/dev/null
nb mfc replace --file $work/set
echo "route group 239.5.0.0/16 iif r0 oifs r1,late1" >$work/multicast.conf
reload
echo "no statement" >$work/multicast.conf
reload
: >$work/multicast.conf
reload
kill $session
wait $session 2>/dev/null || true
flow 239.6.2.2 1 1 0
nb revoke "$(nb --json leases | member leases.0.lease)"
nb mfc flush --learned
nb mfc flush >/dev/null
equal "routes in the end" 0 "$(status_of mroute.routes)"
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --group 239.8.0.0/16 --iif r0 --oifs r1 # a stop with routes that are in force
flow 239.8.1.1 1 1 0
check_agreement
stop_daemon

equal "halves that were looked at" 2 "$(grep -c "ERROR SUMMARY" $work/valgrind)"
if grep "ERROR SUMMARY" $work/valgrind | grep -qv "ERROR SUMMARY: 0 errors"; then
    cat $work/valgrind >&2
    fail "valgrind found something"
fi
