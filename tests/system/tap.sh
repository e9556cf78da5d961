#!/bin/bash
# Taps of an ordinary user, in the kernel: frames go both ways, name and address stay the same, and
# interface and lease end together, whoever is killed.
. "$(dirname "$0")/lib.sh"

. "$(dirname "$0")/tap-lib.sh"

serve

# Frames both ways; a killed client leaves nothing; the next has the same name and address.
guest nb-a 'hosts=["192.168.7.1/24"]'
mac=$(cut -d ' ' -f 2 $work/nb-a.out)
pings "the first time"
equal "the taps" nb-a "$(taps)"
contains "the list" "member  open" "$(nb tap list | tr -s ' ' | sed 's/ /  /g')"
equal "the address in the kernel" "$mac" "$(ip -j link show nb-a | member 0.address)"
equal "IPv6 on it" "" "$(ip -6 address show dev nb-a)"
end_guest nb-a
within 10 "nothing is left" nothing_is_left
guest nb-a 'hosts=["192.168.7.1/24"]'
equal "the address of the next" "$mac" "$(cut -d ' ' -f 2 $work/nb-a.out)"
pings "the second time"

# Nobody else closes it, or has its name.
denied "a stranger" nb_as stranger tap close nb-a
equal "the name is taken" "netbroker: You have the tap" \
    "$(nb_as member tap open nb-a 2>&1 | cut -c 1-27 || true)"

# The broker is killed: the ping goes on, and the lease is there.
ping -i 0.05 -q -w 20 192.168.7.2 >$work/ping &
ping=$!
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "the taps after the broker" nb-a "$(taps)"
equal "the leases after the broker" 1 "$(leases)"
kill -INT $ping
wait $ping || true
contains "the ping" " 0% packet loss" "$(cat $work/ping)"

# Its user closes it: the holder learns of that.
nb_as member tap close nb-a >/dev/null
within 10 "the guest is told" grep -q "closed: EBADFD" $work/nb-a.err
within 10 "nothing is left" nothing_is_left

# A command that holds one says so when it is closed.
setpriv --reuid member --regid member --init-groups \
    $work/build/client/netbroker tap open nb-c >$work/held 2>&1 &
holder=$!
within 10 "the command holds it" grep -q "until this command ends" $work/held
nb_as member tap close nb-c >/dev/null
status=0
wait $holder || status=$?
equal "exit status of who held it" 1 $status
contains "its last word" "tap nb-c is closed" "$(tail -n 1 $work/held)"
