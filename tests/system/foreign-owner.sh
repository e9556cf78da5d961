#!/bin/bash
# The kernel gives a table to one process. Where another has it, the service does not run without
# it: it ends and names the other; and a request for another's table fails.
. "$(dirname "$0")/lib.sh"

# own_table TABLE: a process that is the multicast router of this table (ip(7), linux/mroute.h).
own_table() {
    "${as_daemon[@]}" python3 -c 'import signal, socket, struct, sys
table = int(sys.argv[1])
owner = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
if table != 253:
    owner.setsockopt(socket.IPPROTO_IP, 209, struct.pack("I", table))  # MRT_TABLE
owner.setsockopt(socket.IPPROTO_IP, 200, 1)  # MRT_INIT
print("owns", flush=True)
signal.pause()' "$1" >"$work/owner.$1" &
    owner=$!
    within 10 "a foreign owner of table $1" grep -q owns "$work/owner.$1"
}

start_refused() {
    local status=0

    timeout 20 "${as_daemon[@]}" "$build/daemon/netbrokerd" --socket $socket "$@" 2>$work/refusal ||
        status=$?
    equal "exit status of netbrokerd" 1 $status
}

own_table 253
start_refused --foreground
contains "the reason" "(pid $owner)" "$(cat $work/refusal)"
start_refused # in the background
kill "$owner"
wait "$owner" || true

own_table 100
start_daemon
nb mfc add --group 239.1.1.1 --iif lo --oifs lo
refused in-use '{"action": "ADD_MFC", "payload": {"group": "239.1.1.1", "iif": "lo",
    "oifs": ["lo"], "table": 100}}'
equal "routes" 1 "$(status_of mroute.routes)"
