#!/bin/bash
# What cannot work is never done silently: the command says why on standard error, its exit status
# is not 0, and standard output stays empty; nothing of it is left in the kernel. What is read by
# programs has no escape codes.
. "$(dirname "$0")/lib.sh"

# wrong STATUS PART COMMAND...: this exit status, and this part of the reason.
wrong() {
    local status=0

    nb "${@:3}" >$work/out 2>$work/err || status=$?
    equal "exit status of netbroker ${*:3}" "$1" $status
    contains "the reason of netbroker ${*:3}" "$2" "$(cat $work/err)"
    equal "standard output of netbroker ${*:3}" "" "$(cat $work/out)"
    equal "routes after netbroker ${*:3}" "$before" "$(kernel_state)"
}

make_topology
start_daemon
nb mfc add --source 10.1.0.9 --group 239.9.9.9 --iif r0 --oifs r1
before=$(kernel_state)

flow1=(--source 10.1.0.2 --group 239.1.1.1)
wrong 1 eth99 mfc add "${flow1[@]}" --iif r0 --oifs r1,eth99
wrong 1 eth99 mfc add "${flow1[@]}" --iif eth99 --oifs r1
wrong 2 group mfc add --group 239.1.1.0/33 --iif r0 --oifs r1
wrong 2 group mfc add --group ff0e::/129 --iif r0 --oifs r1
wrong 2 source mfc add --source 10.0.0.0/-1 --group 239.1.1.1 --iif r0 --oifs r1
wrong 1 r0 mfc add "${flow1[@]}" --iif r0 --oifs r0
wrong 1 r0 mfc add "${flow1[@]}" --iif r0 --oifs r1,r0
wrong 2 224.0.0 mfc add --group 224.0.0.5 --iif r0 --oifs r1
wrong 2 224.0.0 mfc add --group 224.0.0.0/24 --iif r0 --oifs r1
wrong 2 ff02 mfc add --group ff02::5 --iif r0 --oifs r1
wrong 2 multicast mfc add --group 10.1.1.1 --iif r0 --oifs r1
wrong 2 group mfc add --group 239.1.1 --iif r0 --oifs r1
wrong 2 twice mfc add "${flow1[@]}" --iif r0 --oifs r1,r1
wrong 2 ttls mfc add "${flow1[@]}" --iif r0 --oifs r1 --ttls 0
wrong 2 ttls mfc add "${flow1[@]}" --iif r0 --oifs r1 --ttls 255
wrong 1 ttls mfc add "${flow1[@]}" --iif r0 --oifs r1 --ttls 1,2
wrong 2 idle mfc add --group 239.1.0.0/16 --iif r0 --oifs r1 --idle 0
wrong 1 "no MFC entry" mfc del "${flow1[@]}"
wrong 2 nonsense nonsense
wrong 2 mfc mfc
wrong 2 adds mfc adds "${flow1[@]}" --iif r0 --oifs r1
wrong 2 iif mfc add "${flow1[@]}" --oifs r1
wrong 2 oof mfc add "${flow1[@]}" --iif r0 --oof r1
wrong 3 /run/nowhere --socket /run/nowhere ping
equal "routes" 1 "$(status_of mroute.routes)"

# In a pipe: text without a byte of control, whatever TERM says; and JSON that parses.
export TERM=xterm-256color
is_json() {
    python3 -c 'import json, sys; json.load(sys.stdin)'
}

for command in show "mfc show" "vif show" status leases metrics describe "mfc add --help" \
    "policy check mroute.write" doctor; do
    read -ra words <<<"$command"
    nb "${words[@]}" >$work/out 2>$work/err || true
    [ -s $work/out ] || fail "$command writes nothing"
    if LC_ALL=C grep -q -P '[\x00-\x08\x0b-\x1f\x7f]' $work/out $work/err; then
        fail "$command writes control characters into a pipe"
    fi
    nb --json "${words[@]}" >$work/out || true
    [[ "$command" = *--help ]] || is_json <$work/out || fail "$command --json is no JSON"
done

# Another one owns a table (foreign-owner.sh tells of the whole service's): nothing is pretended.
"${as_daemon[@]}" python3 -c 'import signal, socket, struct
owner = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
owner.setsockopt(socket.IPPROTO_IP, 209, struct.pack("I", 100))  # MRT_TABLE
owner.setsockopt(socket.IPPROTO_IP, 200, 1)  # MRT_INIT
print("owns", flush=True)
signal.pause()' >$work/owner &
within 10 "a foreign owner of table 100" grep -q owns $work/owner
before=$(kernel_state)
wrong 1 "Table 100 is owned by another process" mfc add "${flow1[@]}" --iif r0 --oifs r1 --table 100
