#!/bin/bash
# Macvtaps: an ordinary user's program is a station of the network of an uplink that the service's
# settings and the policy name, as long as the program has its lifeline; no end of a process but
# that one touches it, and its own end leaves nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

mount -t sysfs sysfs /sys # of this network namespace
new_namespace lan
for name in up0 up1 up2 up3; do
    ip link add $name type veth peer name peer-$name netns "${lan:?}"
    ip link set $name up
    inside lan ip link set peer-$name up
done
inside lan ip address add 192.168.7.1/24 dev peer-up0
ip link add try0 link up0 type macvtap 2>/dev/null || skip "this kernel has no macvtap"
[ -c "/dev/tap$(cat /sys/class/net/try0/ifindex)" ] || skip "/dev is no devtmpfs"
ip link delete try0

# As udev(7) does by a rule: the node is the service's some time after it was made.
udev() {
    local node

    while sleep 0.03; do
        for node in /sys/class/net/nb-*/macvtap/tap*; do
            chown 3000 /dev/"${node##*/}" 2>/dev/null || true # it may be gone
        done
    done
}

devices() {
    ip -o link show type macvtap | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort | xargs
}

# station NAME FIELD=VALUE...: a program of member's in the background, at 192.168.7.2.
station() {
    rm -f $work/"$1".out # of the one before
    setpriv --reuid member --regid member --init-groups \
        python3 $work/build/tap.py station 192.168.7.2 "name=\"$1\"" "${@:2}" \
        >$work/"$1".out 2>$work/"$1".err &
    guests[$1]=$!
    within 10 "$1 is open" grep -q "^$1 " $work/"$1".out
}

answers() {
    inside lan ip neighbour flush dev peer-up0 # the one before had another address
    inside lan ping -c 3 -i 0.05 -W 2 -q 192.168.7.2 >/dev/null || fail "no answer: $1"
}

# is_told NAME: its program learned by the lifeline that the lease has ended.
is_told() {
    wait "${guests[$1]}" 2>/dev/null || true
    equal "the last word of $1" "closed: the lifeline is cut" "$(cat $work/"$1".err)"
}

# says WHAT CODE TEXT OPTION...: it is refused with this.
says() {
    local status=0

    nb_as member --json tap open nb-x "${@:4}" >$work/refused 2>&1 || status=$?
    equal "exit status of $1" 1 $status
    contains "the code of $1" "\"$2\"" "$(cat $work/refused)"
    contains "the answer to $1" "$3" "$(cat $work/refused)"
    within 10 "nothing is left of $1" nothing_is_left
}

echo "tap-uplinks = up0, up2, up3, lo" >>$work/netbrokerd.conf
echo "interfaces = nb-*, up0, up1, up3, lo, br0" >>$work/policy.conf
udev &
serve

# --- What it is ---------------------------------------------------------------------------------

station nb-a 'uplink="up0"' 'mac="fe:00:00:00:00:07"'
answers "to the first ping"
equal "its address" "nb-a fe:00:00:00:00:07" "$(cat $work/nb-a.out)"
shown=$(nb tap show nb-a)
contains "what is shown" up0 "$(grep UPLINK <<<"$shown")"
detail=$(ip -d link show nb-a)
contains "its uplink" "nb-a@up0" "$detail"
contains "its mode" "mode bridge" "$detail"
contains "its mark" "alias netbroker" "$detail"
equal "the host's addresses there" "" "$(ip -o address show dev nb-a)"
[ "$(nb --json tap list | member taps.0.rx_frames)" -ge 3 ] || fail "its frames are not counted"
contains "the doctor's word" "is a station on up0" "$(nb doctor tap nb-a)"

# --- Ends that are none --------------------------------------------------------------------------

kill -KILL "$(broker)"
restarts_expected=1
within 10 "another broker serves" nb ping
answers "behind the end of a broker"
equal "its lease" nb-a "$(taps)"

# --- Its holder's end ----------------------------------------------------------------------------

end_guest nb-a
within 10 "nothing is left of a holder that was killed" nothing_is_left
equal "leases" 0 "$(leases)"

station nb-a 'uplink="up0"'
stopped=$(broker)
kill -STOP "$stopped" # it sees nothing
end_guest nb-a
kill -KILL "$stopped"
restarts_expected=2
within 20 "another broker serves" nb ping
within 10 "nothing is left of a holder that ended between brokers" nothing_is_left

station nb-a 'uplink="up0"'
keeper=$(status_of keeper.pid)
kill -KILL "$keeper"
restarts_expected=0
within 20 "the next service" nb ping
[ "$(status_of keeper.pid)" != "$keeper" ] || fail "the keeper was not killed"
answers "behind the end of a keeper"
equal "its lease" nb-a "$(taps)"
end_guest nb-a
within 10 "nothing is left behind that" nothing_is_left

# --- The service's ------------------------------------------------------------------------------

station nb-a 'uplink="up0"' "isolated=true" "mtu=1400"
contains "its mode" "mode private" "$(ip -d link show nb-a)"
contains "its MTU" "mtu 1400" "$(ip link show nb-a)"
nb_as member tap close nb-a
is_told nb-a
within 10 "nothing is left of one that was closed" nothing_is_left

station nb-a 'uplink="up3"'
ip link delete up3
is_told nb-a
within 10 "nothing is left of one whose uplink went" nothing_is_left

# --- tap exec ------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # the inner shell has the words
seen=$(exec 3>&- && nb_as member tap exec nb-b --uplink up0 -- bash -c \
    'for i in {0..9}; do [ ! -e /proc/$$/fd/$i ] || printf "%s " $i; done; echo "$@"' \
    - "{fd}" "{lifeline}" "{name}")
equal "its descriptors and words" "0 1 2 3 4 3 4 nb-b" "$seen"
within 10 "nothing is left of a command" nothing_is_left

# --- What is refused -----------------------------------------------------------------------------

says "an uplink that the settings do not name" not-allowed tap-uplinks --uplink up1
says "an uplink that the policy does not name" not-allowed "may not do" --uplink up2
says "one that is not there" not-found "'up3' not found" --uplink up3
says "one that is no Ethernet interface" unsupported "no Ethernet" --uplink lo
says "a longer packet than the uplink's" out-of-range "more than that of its uplink" \
    --uplink up0 --mtu 9000
says "the uplink's address" in-use "station of that address" \
    --uplink up0 --mac "$(cat /sys/class/net/up0/address)"
says "several queues" invalid-address "has no 'bridge'" --uplink up0 --queues 2
says "an address of the host's" invalid-address "has no 'bridge'" --uplink up0 \
    --hosts 192.168.7.1/24
ip link add br0 type bridge
ip link set up0 master br0
says "a port of a bridge" in-use "gives all that it receives" --uplink up0
