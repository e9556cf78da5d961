#!/bin/bash
# A command with a tap: it has the descriptor, and nothing else that is not its own; its words say
# which; its exit status and its signals are its own; and the tap ends with it.
. "$(dirname "$0")/lib.sh"

# What the descriptor in its first word is, then its other words.
looks='import fcntl, struct, sys
ifreq = fcntl.ioctl(int(sys.argv[1]), 0x800454d2, struct.pack("16sH22x", b"", 0))  # TUNGETIFF
print(ifreq[:16].rstrip(b"\0").decode(), *sys.argv[1:])'

# exec_status EXPECTED WHAT COMMAND...
exec_status() {
    local status=0

    nb tap exec -- "${@:3}" >$work/out 2>&1 || status=$?
    equal "exit status of $2" "$1" $status
    within 10 "the interface is gone" no_tap
}

no_tap() {
    [ -z "$(ip -o link show type tun)" ]
}

is_up() {
    ip -o link show "$1" | grep -q "$2"
}

need_tun
printf '%s\n' "[service]" "tap-spares = 0" "tap-networks = 10.9.0.0/16" >$work/taps.conf
start_daemon --config $work/taps.conf

exec 3>&- # whoever started this test may have it open
seen=$(nb tap exec nb-a --mac fe:00:00:00:00:07 -- python3 -c "$looks" "{fd}" "{name}" "{mac}" "a{fd}{fd}b" "{x}")
equal "the command's words" "nb-a 3 nb-a fe:00:00:00:00:07 a33b {x}" "$seen"
seen=$(nb tap open nb-b -- python3 -c "$looks" "{fd}")
equal "the same by tap open" "nb-b 3" "$seen"
seen=$(nb tap exec -- python3 -c "$looks" "{fd}" 3</dev/null)
equal "the descriptor behind one that is there" "nb-0 4" "$seen"
within 10 "the interface is gone" no_tap
seen=$(nb tap exec nb-a --queues 4 -- python3 -c "$looks" "{fd}" "{fds}" "a{fds}b")
equal "the descriptors of four queues" "nb-a 3 3:4:5:6 a3:4:5:6b" "$seen"
seen=$(nb tap exec nb-a --queues 4 -- python3 -c "$looks" 6 "{fds}" 5</dev/null)
equal "the last of them, around one that is there" "nb-a 6 3:4:6:7" "$seen"
within 10 "the interface is gone" no_tap
# shellcheck disable=SC2016 # the inner shell has the words
equal "its descriptors" "0 1 2 3" \
    "$(nb tap exec -- bash -c 'for i in {0..9}; do [ ! -e /proc/$$/fd/$i ] || echo $i; done' | xargs)"
exec_status 7 "a command that ends with 7" sh -c 'exit 7'
exec_status 127 "a command that is not there" $work/nothing
contains "what it says" "cannot run '$work/nothing': No such file" "$(cat $work/out)"
exec_status 126 "a command that is no program" $work/taps.conf

# The process that was started is the command.
"$build/client/netbroker" tap exec nb-c --mtu 1400 --hosts 10.9.1.1/24 -- sleep 300 &
child=$!
within 10 "the interface is there" is_up nb-c "mtu 1400"
within 10 "it is the command" grep -q sleep /proc/$child/comm
contains "its address" "inet 10.9.1.1/24" "$(ip -o address show dev nb-c)"
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "another broker serves" nb ping
is_up nb-c LOWER_UP || fail "the interface went with the broker"
equal "its state" open "$(nb --json tap list | member taps.0.state)"
kill -TERM $child
status=0
wait $child || status=$?
equal "exit status of a command that a signal ends" 143 $status
within 10 "the interface is gone" no_tap
equal "taps that the service knows" '{"taps":[]}' "$(nb --json tap list)"
