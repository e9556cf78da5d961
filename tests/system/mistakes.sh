#!/bin/bash
# Files with a mistake: the check of the files ends with a status that is not 0 and names file and
# line; a reload changes nothing; 'mfc replace' neither. No file does harm. A start: see
# start-mistakes.sh.
. "$(dirname "$0")/lib.sh"

checked() {
    "$build/daemon/netbrokerd" --check-config --multicast $work/multicast.conf >$work/out 2>&1
}

reloaded() {
    grep -qF "$1" $work/daemon.log
}

make_topology
echo "route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1" >$work/multicast.conf
checked || fail "a good file is refused: $(cat $work/out)"
start_daemon --multicast $work/multicast.conf
nb mfc add --source 10.1.0.2 --group 239.1.1.2 --iif r0 --oifs r1
before=$(kernel_state)

while IFS= read -r line; do
    printf 'route source 10.1.0.2 group 239.7.7.7 iif r0 oifs r1\n\n%b\n' "$line" \
        >$work/multicast.conf
    status=0
    checked || status=$?
    equal "exit status of the check of '$line'" 1 $status
    contains "the check of '$line'" "multicast.conf:3:" "$(cat $work/out)"
    : >$work/daemon.log
    kill -HUP "$daemon"
    within 5 "the reload names '$line'" reloaded "multicast.conf:3:"
    nb ping >/dev/null
    equal "the kernel after '$line'" "$before" "$(kernel_state)"
    status=0
    nb mfc replace --file $work/multicast.conf >$work/out 2>&1 || status=$?
    [ $status != 0 ] || fail "mfc replace takes '$line'"
    contains "mfc replace of '$line'" "multicast.conf:3" "$(cat $work/out)"
    equal "the kernel after mfc replace of '$line'" "$before" "$(kernel_state)"
done <<'END'
route
rout group 239.1.1.9 iif r0 oifs r1
route group 239.1.1.9 iif r0
route group 239.1.1.9 oifs r1
route group 239.1.1.9/33 iif r0 oifs r1
route group 224.0.0.5 iif r0 oifs r1
route group 10.0.0.1 iif r0 oifs r1
route source 10.1.0.2 group 239.1.1.9 iif r0 oifs r0
route group 239.1.1.9 iif r0 oifs r1,r1
route group 239.1.1.9 iif r0 oifs r1 ttls 256
route group 239.1.1.9 iif r0 oifs r1 ttls 1,2
route group 239.1.1.9 iif r0 oifs r1 idle
route group 239.1.1.9 iif r0 oifs r1 idle 0
route group 239.1.1.9 iif r0 oifs r1 table 0
route group 239.1.1.9 iif r0 oifs r1 colour blue
route group 239.1.1.9 group 239.1.1.8 iif r0 oifs r1
route group 239.1.1.9 iif r0 oifs r1 while_connected
route group 239.1.1.9 iif r0 oifs r1 dry_run
route source fd00::1 group 239.1.1.9 iif r0 oifs r1
route group ff0e::9 iif r0 oifs r1 ttls 2
route group 239.1.1.9 iif sixteen-letters- oifs r1
{"action": "ADD_MFC", "payload": {"group": "239.1.1.9", "iif": "r0"}}
{"action": "FLUSH_MFC"}
{"action": "ADD_MFC", "payload": {"group": "239.1.1.9", "iif": "r0", "oifs": ["r1"]}
interface r1
interface r1 ttl 0
route group 239.1.1.9 iif r0 oifs r1\0
\xff\xfe\x00\x01
END

flow 239.1.1.1 20 20 0
