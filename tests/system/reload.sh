#!/bin/bash
# A changed file, read again under 1,000 packets a second: oifs and thresholds are the new ones, a
# flow that both files name loses nothing, and so does one that a client added. Both families.
. "$(dirname "$0")/lib.sh"

reloaded() {
    [ "$(grep -c "policy read" $work/daemon.log)" -gt "$1" ]
}

reload() {
    local before

    before=$(grep -c "policy read" $work/daemon.log)
    kill -HUP "$daemon"
    within 5 "the reload" reloaded "$before"
    nb ping >/dev/null
}

# listed FAMILY GROUP: the oifs of the kernel's entry, in order.
listed() {
    ip "-$1" mroute show | grep -F ",$2)" | sed 's/.*Oifs: //; s/ *State.*//; s/(ttl /:/g; s/)//g' |
        xargs -n 1 | sort | xargs
}

make_topology
connect 3 receiver1 d3
connect 4 receiver2 d4
cat >$work/multicast.conf <<END
interface r1 ttl 2
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r1,r2
route source fd00:1::2 group ff0e::1 iif r0 oifs r1,r2
route source 10.1.0.2 group 239.1.1.2 iif r0 oifs r2
route source fd00:1::2 group ff0e::2 iif r0 oifs r2
route group 239.2.0.0/16 iif r0 oifs r2
END
start_daemon --multicast $work/multicast.conf
equal "IPv4 at first" "r1:2 r2" "$(listed 4 239.1.1.1)"
equal "IPv6 at first" "r1 r2" "$(listed 6 ff0e::1)"
nb mfc add --source 10.1.0.2 --group 239.1.1.3 --iif r0 --oifs r2
flow 239.2.1.1 1 0 1
contains "the file's threshold" "received 0" \
    "$(receive low receiver1 d1 239.1.1.1 5 && send 239.1.1.1 5 1000 2 && sleep 0.2 &&
        stop_receiver low && result low)"

flows=(239.1.1.2 ff0e::2 239.1.1.3 239.2.1.1)
for group in "${flows[@]}"; do
    receive "untouched-$group" receiver2 d2 "$group" 1500
    send "$group" 1500 1000 &
done
cat >$work/multicast.conf <<END
interface r2 ttl 2
interface r3 ttl 3
interface r+ ttl 4
route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r2,r3
route source fd00:1::2 group ff0e::1 iif r0 oifs r2,r3
route source 10.1.0.2 group 239.1.1.2 iif r0 oifs r2 ttls 1
route source fd00:1::2 group ff0e::2 iif r0 oifs r2
route group 239.2.0.0/16 iif r0 oifs r2 ttls 1
END
sleep 0.3
reload
equal "IPv4 after the reload" "r2:2 r3:3" "$(listed 4 239.1.1.1)"
equal "IPv6 after the reload" "r2 r3" "$(listed 6 ff0e::1)"
for ((i = 0; i < 5; i++)); do
    reload
done
for group in "${flows[@]}"; do
    contains "packets of $group" "received 1500 lost 0 duplicates 0" "$(result "untouched-$group")"
done

# An administrator's word changes what is configured, until the files are read again.
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r3,r2,r4 --ttls 3,2,4
equal "with one more" "r2:2 r3:3 r4:4" "$(listed 4 239.1.1.1)"
nb mfc add --source fd00:1::2 --group ff0e::1 --iif r0 --oifs r3,r2,r4
equal "with one more, IPv6" "r2 r3 r4" "$(listed 6 ff0e::1)"
for family in 239.1.1.1 ff0e::1; do
    for interface in d3 d2 d4; do
        namespace=receiver2
        [ $interface != d3 ] || namespace=receiver1
        reaches $family 20 20 sender s0 $namespace $interface
    done
done
# TTL 4 is above the thresholds of r2 and r3, and not above r4's.
for pair in "receiver2 d2 4 3" "receiver1 d3 4 3" "receiver2 d4 4 0"; do
    read -r namespace interface ttl expected <<<"$pair"
    receive ttl "$namespace" "$interface" 239.1.1.1 3
    send 239.1.1.1 3 1000 "$ttl"
    sleep 0.1
    stop_receiver ttl
    contains "packets of TTL 4 behind $interface" "received $expected " "$(result ttl)"
done
check_agreement
