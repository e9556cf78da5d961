#!/bin/bash
# Routes of the administrator's files: in force at the start, applied as a difference at a reload,
# apart from what was added by hand, and not at all when a line of them is wrong.
. "$(dirname "$0")/lib.sh"

make_topology
mkdir $work/multicast.d
cat >$work/multicast.conf <<'END'
interface r2 ttl 2
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1
route source 10.1.0.2 group 239.1.1.2 iif r0 oifs r1,r2
route group 239.2.0.0/16 iif r0 oifs r+
route source 10.1.0.2 group 239.1.1.3 iif late0 oifs r1   # waits
END
echo "route group 239.3.1.1 iif r0 oifs r2 table 253" >$work/multicast.d/10-more.conf
echo "this is no configuration" >$work/multicast.d/notes.txt

"$build/daemon/netbrokerd" --check-config --multicast $work/multicast.conf \
    >$work/out || fail "the configuration has no mistakes"
contains "what --check-config says" "5 routes and joins, no mistakes" "$(cat $work/out)"
start_daemon --multicast $work/multicast.conf

# origins: how many routes there are of each origin.
origins() {
    nb --json mfc show | python3 -c '
import collections, json, sys
counts = collections.Counter(r["origin"] for r in json.load(sys.stdin)["mfc_rules"])
print(*(f"{name}={counts[name]}" for name in sorted(counts)))'
}

reload() {
    local before

    before=$(grep -c "policy read" $work/daemon.log)
    kill -HUP $daemon
    within 5 "the reload" reloaded "$before"
    nb ping >/dev/null
}

reloaded() {
    [ "$(grep -c "policy read" $work/daemon.log)" -gt "$1" ]
}

equal "routes" "configuration=5" "$(origins)"
flow 239.1.1.1 20 20 0
flow 239.1.1.2 20 20 20 3
flow 239.1.1.2 20 20 0 2 # a TTL of 2, of which 1 is used, is not above the threshold
flow 239.2.1.1 3 3 3
flow 239.3.1.1 20 0 20

# Unchanged: not one write. By hand: it survives.
nb mfc add --source 10.1.0.2 --group 239.9.1.1 --iif r0 --oifs r2
writes=$(status_of mroute.kernel_writes)
reload
equal "kernel writes of an unchanged reload" "$writes" "$(status_of mroute.kernel_writes)"
equal "routes" "client=1 configuration=5 learned=1" "$(origins)"

# Another file: the flow that is in both loses nothing, a drop-in that is gone takes its routes.
receive both receiver1 d1 239.1.1.1 1000
send 239.1.1.1 1000 1000 &
sender_done=$!
rm $work/multicast.d/10-more.conf
sed -i -e '/239.1.1.2/d' -e 's/late0/r0/' $work/multicast.conf
reload
contains "packets of the flow in both" "received 1000 lost 0" "$(result both)"
wait $sender_done
equal "routes" "client=1 configuration=3 learned=1" "$(origins)"
flow 239.1.1.2 10 0 0
flow 239.1.1.3 20 20 0
flow 239.3.1.1 10 0 0
flow 239.9.1.1 20 0 20

# One bad line, and nothing changes.
before=$(kernel_state | grep -v unresolved) # which the kernel forgets after 10 s
cp $work/multicast.conf $work/good
sed -i '1i route source 10.1.0.2 group 239.1.1.9 iif r0 oifs r1' $work/multicast.conf
echo "route source 10.1.0.2 group 239.1.1.7 iif r0 oifs r0" >>$work/multicast.conf
echo "route group 239.1.1.8/33 iif r0 oifs r1" >>$work/multicast.conf
reload
equal "the kernel after a bad file" "$before" "$(kernel_state | grep -v unresolved)"
grep -q "multicast.conf:6" $work/daemon.log || fail "the log names the line"
status=0
"$build/daemon/netbrokerd" --check-config --multicast $work/multicast.conf \
    >$work/out 2>&1 || status=$?
equal "exit status of --check-config" 1 $status
contains "what it says" "multicast.conf:6" "$(cat $work/out)"

# What both want stays when one lets go.
cp $work/good $work/multicast.conf
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1
sed -i '/239.1.1.1 /d' $work/multicast.conf
reload
equal "routes" "client=2 configuration=2 learned=1" "$(origins)"
flow 239.1.1.1 20 20 0

# After the broker's death what is configured is configured still.
restarts_expected=1
python3 - <<END
import os, signal
children = open("/proc/$daemon/task/$daemon/children").read().split()
os.kill(int(children[0]), signal.SIGKILL)
END
within 5 "the next broker" nb ping
flow 239.2.1.1 3 3 3
equal "routes, and whose they are, without a state file" \
    "client=2 configuration=2 learned=1" "$(origins)"
