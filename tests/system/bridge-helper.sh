#!/bin/bash
# QEMU's bridge helper, for an ordinary user: the tap comes by its protocol, is a port of the bridge
# with its MTU, and lasts as long as its descriptor. Refusals say what would allow it.
. "$(dirname "$0")/lib.sh"

helper=$work/build/netbroker-bridge-helper

# start_parent USER WAY WORD...: it holds the tap until the file's writer ends.
start_parent() {
    rm -f $work/hold
    mkfifo -m 666 $work/hold
    as "$1" python3 $work/build/helper_parent.py "${@:2}" >$work/parent.out 2>$work/parent.err \
        <$work/hold &
    parent=$!
    exec 9>$work/hold
    within 10 "the helper's end" grep -q . $work/parent.out
}

end_parent() {
    exec 9>&-
    wait $parent || fail "exit status of the parent: $?"
    within 10 "the interface is gone" no_tap
}

no_tap() {
    [ -z "$(ip -o link show type tun)" ]
}

# is_refused USER STATUS WHAT PART ARGUMENT...: by the helper, with a reason that has this part
is_refused() {
    local seen

    seen=$(as "$1" python3 $work/build/helper_parent.py directly $helper "${@:5}" \
        2>$work/parent.err </dev/null) || true
    equal "what comes ($3)" "none $2" "$seen"
    contains "the reason ($3)" "$4" "$(cat $work/parent.err)"
}

need_root "to become other users"
need_tun
make_users
cp "$build/client/netbroker-bridge-helper" $helper
chmod 755 $helper
for bridge in br0 br1 br2; do
    ip link add $bridge type bridge 2>/dev/null || skip "bridges cannot be made here"
    ip link set $bridge up
done
ip link set br1 mtu 1400
printf '%s\n' "[service]" "tap-spares = 0" "tap-bridges = br0, br1" >$work/taps.conf
printf '%s\n' "[allow members]" "group = netbroker" "verbs = tap.*" "interfaces = nb-*, br*" \
    "[deny an operator]" "user = operator" "verbs = tap.*" >$work/policy.conf
start_daemon --config $work/taps.conf --policy $work/policy.conf
chmod 666 $socket

start_parent member directly $helper --br=br0
equal "what comes" "nb-0 vnet 0 right" "$(cat $work/parent.out)"
contains "the port" "master br0" "$(ip -o link show nb-0)"
contains "the port" "LOWER_UP" "$(ip -o link show nb-0)"
equal "whose it is" 3001 "$(nb --json tap list | member taps.0.uid)"
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "another broker serves" nb ping
contains "the port after a restart" "LOWER_UP" "$(ip -o link show nb-0)"
end_parent

# By a shell, where it has arguments of its own.
start_parent member shell $helper --br=br1 --isolated
equal "what comes" "nb-0 vnet 0 right" "$(cat $work/parent.out)"
contains "the port" "master br1" "$(ip -o link show nb-0)"
contains "the port" "mtu 1400" "$(ip -o link show nb-0)"
contains "the bridge" "mtu 1400" "$(ip -o link show br1)"
contains "the port" "isolated on" "$(bridge -d link show dev nb-0)"
end_parent

is_refused member 1 "a bridge that is not in tap-bridges" "tap-bridges = br2" --br=br2
is_refused stranger 1 "a user whom no rule allows it" "user = stranger" --br=br0
contains "the rule" "interfaces = nb-*, br0" "$(cat $work/parent.err)"
contains "how names begin" "Where tap-prefix of netbrokerd.conf is set" "$(cat $work/parent.err)"
is_refused operator 1 "a user whom a rule forbids it" "forbids it" --br=br0
is_refused member 1 "a bridge that is not there" "'br9'" --br=br9
is_refused member 2 "a name that is none" "--br takes BRIDGE" --br=bridge-with-a-long-name
is_refused member 2 "an option that is none" "there is no option '--nonsense'" --nonsense
is_refused member 3 "no service" "Is netbrokerd running?" --socket=$work/nothing
status=0
$helper --br=br0 2>$work/parent.err || status=$?
equal "exit status without a socket" 2 $status
contains "the reason" "--fd is missing" "$(cat $work/parent.err)"
status=0
$helper --fd=0 </dev/null 2>$work/parent.err || status=$?
equal "exit status with a file for a socket" 2 $status
no_tap || fail "a refusal left an interface"
