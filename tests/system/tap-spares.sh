#!/bin/bash
# Taps that are made before somebody asks for one: they are handed over as they are, followed by
# others, and never as others have changed them, whoever is killed.
. "$(dirname "$0")/lib.sh"
spares=3
. "$(dirname "$0")/tap-lib.sh"

ip link add br0 type bridge
ip link set br0 up
serve

spares() {
    nb --json status | member taps.spares
}

has_spares() {
    [ "$(spares)" = "$1" ]
}

# The name of one of them: all that nobody holds are.
spare() {
    comm -23 <(devices | tr ' ' '\n' | sort) <(taps | tr ' ' '\n' | sort) | head -n 1
}

# The index of an interface, or nothing.
index() {
    ip -o link show "$1" 2>/dev/null | cut -d : -f 1
}

# start USER FIELD=VALUE...: a program of the user's that opens one, whatever its name is.
count=0 holders=()
start() {
    count=$((count + 1))
    setpriv --reuid "$1" --regid "$1" --init-groups \
        python3 $work/build/tap.py guest 192.168.7.2 "${@:2}" \
        >$work/guest$count 2>$work/guest$count.err &
    holders+=($!)
}

# open FIELD=VALUE...: the same of member's; $opened is its name.
open() {
    start member "$@"
    within 30 "guest $count has a tap" grep -q . $work/guest$count
    opened=$(cut -d ' ' -f 1 $work/guest$count)
}

end_all() {
    kill -KILL "${holders[@]}"
    wait "${holders[@]}" 2>/dev/null || true
    holders=()
    within 10 "the guests' taps go" no_taps
}

no_taps() {
    [ -z "$(taps)" ]
}

# None before the first request; then as many as there should be, which are nobody's.
equal "interfaces at first" "" "$(devices)"
open
equal "the first" nb-0 "$opened"
within 10 "spares are made" has_spares 3
equal "interfaces" "nb-0 nb-1 nb-2 nb-3" "$(devices)"
equal "the list" nb-0 "$(taps)"
equal "leases" 1 "$(leases)"
contains "metrics" "netbroker_taps_spare 3" "$(nb metrics)"
contains "a spare is up" "UP" "$(ip -o link show nb-1)"
equal "IPv6 on a spare" "" "$(ip -6 address show dev nb-1)"

# One is handed over as it is, and another is made in its place.
before=$(index nb-1)
open
equal "the second" nb-1 "$opened"
equal "its index" "$before" "$(index nb-1)"
equal "its address" "$(cut -d ' ' -f 2 $work/guest$count)" "$(ip -j link show nb-1 | member 0.address)"
equal "the taps" "nb-0 nb-1" "$(taps)"
within 10 "another spare is made" has_spares 3

# Its descriptor works: the host's frames come, and the guest answers.
ip address add 192.168.7.1/24 dev nb-1
pings "by a spare"

# Several at once, of two users, never get the same one.
for user in member root member root; do
    start $user
done
have_all() {
    [ "$(taps | wc -w)" = 6 ]
}
within 10 "all have one" have_all
equal "names that two have" "" "$(cat $work/guest* | cut -d ' ' -f 1 | sort | uniq -d)"
end_all

# What others delete, rename or move is not handed over.
other= # set by new_namespace
within 10 "spares are there" has_spares 3
first=$(spare)
ip link delete "$first"
open
gone=$opened
[ "$(taps)" = "$gone" ] || fail "the taps: $(taps)"
within 10 "spares are there" has_spares 3
one=$(spare)
index_of_one=$(index "$one")
ip link set "$one" name nb-zzz 2>/dev/null || ip link set "$one" down # before Linux 6.2: one that is up
was_renamed() {
    [ -z "$(index nb-zzz)" ] && [ "$(index "$one")" != "$index_of_one" ]
}
within 10 "what was renamed is deleted" was_renamed
within 10 "spares are there" has_spares 3
one=$(spare) was=$(index "$one")
ip link set "$one" master br0
was_deleted() {
    [ "$(index "$one")" != "$was" ]
}
within 10 "what was moved is deleted" was_deleted
within 10 "spares are there" has_spares 3
one=$(spare) was=$(index "$one")
ip link set "$one" down
within 10 "what was taken down is deleted" was_deleted
within 10 "spares are there" has_spares 3
new_namespace other
for one in $(comm -23 <(devices | tr ' ' '\n' | sort) <(taps | tr ' ' '\n' | sort)); do
    ip link set "$one" netns "$other"
done
within 10 "others are made for those that are in another namespace" has_spares 3
none_is_elsewhere() {
    [ -z "$(inside other ip -o link show type tun)" ]
}
within 10 "they end there" none_is_elsewhere
end_all

# Ports: the second one is a spare. Without the bridge there is none.
open 'bridge="br0"' 'offload=true'
within 10 "spares are there" has_spares 3
ports() {
    ip -o link show master br0 type tun | wc -l
}
some_are_ports() {
    [ "$(ports)" -ge 2 ]
}
within 10 "some of them are ports" some_are_ports
ip link delete br0
few_are_left() {
    [ "$(devices | wc -w)" -le 4 ]
}
within 10 "spare ports are gone" few_are_left
open
end_all

# The broker is killed: the next one has the same spares, and sweeps none.
within 10 "spares are there" has_spares 3
before=$(for name in $(devices); do index "$name"; done | xargs)
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "taps that it has itself" "" "$(find -L "/proc/$(broker)/fd" -samefile /dev/net/tun)"
within 10 "spares are there" has_spares 3
equal "their indexes" "$before" "$(for name in $(devices); do index "$name"; done | xargs)"
open
contains "it was one of them" " $(index "$opened") " " $before "

# A reload leaves them.
within 10 "spares are there" has_spares 3
kill -HUP "$(status_of keeper.pid)"
nb ping >/dev/null
within 10 "spares are there" has_spares 3

# The keeper is killed: its spares go with it, and the taps stay.
held=$opened
keeper=$(status_of keeper.pid) restarts_expected=0
kill -KILL "$keeper"
within 20 "the next service" nb ping
only_held() {
    [ "$(devices)" = "$held" ]
}
within 20 "the spares of the dead are gone" only_held
equal "the taps" "$held" "$(taps)"
open
within 10 "spares are there" has_spares 3
end_all
