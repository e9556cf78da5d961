#!/bin/bash
# The doctor on routes on demand: ranges, patterns, what was learned, what comes in elsewhere, and
# what there is no room for. Its suggestions are run, and they help.
. "$(dirname "$0")/lib.sh"
. "$tests/doctor-lib.sh"

# suggestion OPTION...: the command that the doctor suggests.
suggestion() {
    { nb doctor "$@" || true; } | sed -n 's/^ *-> netbroker \(mfc add .*\)/\1/p' | head -n 1
}

# follow OPTION...: does what the doctor suggests.
follow() {
    local command

    command=$(suggestion "$@")
    [ -n "$command" ] || fail "the doctor suggests nothing on '$*'"
    # shellcheck disable=SC2086 # words
    nb $command
}

make_topology
cat >$work/config <<'END_OF_FILE'
[limits]
unmatched-flows = 8
learned-routes = 8
END_OF_FILE
cat >$work/multicast.conf <<'END_OF_FILE'
route group 239.77.0.0/16 iif r0 oifs r1
route source 10.1.0.2 group 239.77.1.9 iif r1 oifs r0
END_OF_FILE
start_daemon --config $work/config --multicast $work/multicast.conf

# A range, before its first packet and behind it.
nb mfc add --group 239.1.0.0/16 --iif r0 --oifs r1,r2 --idle 30
one=(--source 10.1.0.2 --group 239.1.1.1)
finds route ok "${one[@]}"
says "The route (*, 239.1.0.0/16) from r0 takes (10.1.0.2, 239.1.1.1)" "${one[@]}"
finds arrival warning "${one[@]}"
says "in the last 30 seconds" "${one[@]}"
says "When one comes, the flow is learned" "${one[@]}"
says "netbroker join add --group 239.1.1.1 --iif r0" "${one[@]}"
flow 239.1.1.1 5 5 5
healthy "${one[@]}"
healthy --group 239.1.1.1
says "(10.1.0.2, 239.1.1.1) comes in by r0; the route (*, 239.1.0.0/16) from r0 takes it" "${one[@]}"
inside sender ip address add 10.1.0.3/24 dev s0
finds arrival warning --source 10.1.0.3 --group 239.1.1.1
finds arrival warning --group 239.1.1.2
finds iif problem "${one[@]}" --iif r2
equal "the same from r2" "mfc add --group 239.1.0.0/16 --iif r2 --oifs r1" \
    "$(suggestion "${one[@]}" --iif r2)"
nb mfc del --group 239.1.0.0/16

# Patterns are no interfaces, and none of those that they mean is missing.
nb mfc add --group 239.2.0.0/16 --iif r+ --oifs r+
two=(--source 10.1.0.2 --group 239.2.1.1)
says "Inbound interfaces that r+ means: r0, r1, r2" "${two[@]}"
says "Outgoing interfaces that r+ means: r1, r2" "${two[@]}" --iif r0
silent "There is no interface" "${two[@]}"
silent "There is no interface" --iif r+
finds iif ok "${two[@]}" --iif r1
finds iif problem "${two[@]}" --iif lo
finds iif problem "${two[@]}" --iif eth99
flow 239.2.1.1 5 5 5
healthy "${two[@]}"
healthy "${two[@]}" --iif r0
finds iif info "${two[@]}" --iif r2
says "If it comes by r2, its route is moved there" "${two[@]}" --iif r2
ip link set r2 down
within 5 "the doctor knows" passes says "The interface r2 is down" "${two[@]}"
finds oif info "${two[@]}"
healthy "${two[@]}"
healthy
ip link set r2 up
ip address replace fd00:3::1/64 dev r2 nodad
within 10 "the links have a carrier" links_run
nb mfc del --group 239.2.0.0/16
within 5 "what was learned is gone" sh -c "! ip mroute show | grep -q 239.2"

# Patterns that mean nothing today.
nb mfc add --group 239.3.0.0/16 --iif r0 --oifs wlan+
finds oif problem --group 239.3.1.1
send 239.3.1.1 5
finds route problem --source 10.1.0.2 --group 239.3.1.1
says "sends to wlan+, but beside r0" --source 10.1.0.2 --group 239.3.1.1
nb mfc del --group 239.3.0.0/16
nb mfc add --group 239.3.0.0/16 --iif wlan+ --oifs r1 --wait
finds route problem --group 239.3.1.1
says "waits for an interface whose name begins as in wlan+" --group 239.3.1.1
silent "There is no interface wlan+" --group 239.3.1.1
finds iif warning
nb mfc del --group 239.3.0.0/16

# One group from two interfaces.
nb mfc add --group 239.4.1.1 --iif r0 --oifs r1
nb mfc add --group 239.4.1.1 --iif r1 --oifs r0
four=(--source 10.1.0.2 --group 239.4.1.1)
says "Other routes that take packets of this group: 1." --group 239.4.1.1
says "from r1 takes" "${four[@]}" --iif r1
says "from r0 takes" "${four[@]}" --iif r0
finds iif problem "${four[@]}" --iif r2
flow 239.4.1.1 5 5 0
healthy "${four[@]}"
nb mfc del --group 239.4.1.1

# Covered from one interface, coming in by another: the range is suggested from there, with all it
# says; and that helps.
nb mfc add --group 239.5.0.0/16 --iif r2 --oifs r0,r1 --ttls 1,3
send 239.5.1.1 5
finds unrouted problem --group 239.5.1.1
equal "what is suggested" "mfc add --group 239.5.0.0/16 --iif r0 --oifs r1 --ttls 3" \
    "$(suggestion --group 239.5.1.1)"
follow --group 239.5.1.1
flow 239.5.1.1 5 5 0
healthy --source 10.1.0.2 --group 239.5.1.1
nb mfc del --group 239.5.0.0/16

# A route that waits does not take what comes in elsewhere.
nb mfc add --source 10.1.0.2 --group 239.5.1.2 --iif gone0 --oifs r1 --wait
send 239.5.1.2 5
finds unrouted problem --source 10.1.0.2 --group 239.5.1.2
follow --source 10.1.0.2 --group 239.5.1.2
flow 239.5.1.2 5 5 0
nb mfc del --source 10.1.0.2 --group 239.5.1.2

# What was learned, and comes in where no route takes it from.
nb mfc add --group 239.6.0.0/16 --iif r0 --oifs r1,r2
flow 239.6.1.1 5 5 5
inside sender ip address flush dev s0 scope global
inside receiver2 ip address add 10.1.0.2/32 dev d2
inside receiver2 ip address delete 10.3.0.2/24 dev d2
send_from receiver2 d2 239.6.1.1 5
finds wrong-interface warning --source 10.1.0.2 --group 239.6.1.1
says "netbroker mfc add --group 239.6.0.0/16 --iif INTERFACE --oifs r1,r2" --source 10.1.0.2 --group 239.6.1.1
inside receiver2 ip address add 10.3.0.2/24 dev d2
inside receiver2 ip address delete 10.1.0.2/32 dev d2
inside sender ip address add 10.1.0.2/24 dev s0
nb mfc del --group 239.6.0.0/16

# Routes of the configuration are changed there.
says "The route (*, 239.77.0.0/16) from r0 (configuration) takes" --group 239.77.1.1
finds iif problem --source 10.1.0.2 --group 239.77.1.9 --iif r2
says "netbroker-multicast.conf(5)" --source 10.1.0.2 --group 239.77.1.9 --iif r2

# No room: for what is learned, and for what nobody wants.
nb mfc add --group 239.7.0.0/16 --iif r0 --oifs r1 --idle 2
send 239.7.1.0 20 1000 8 6
finds unrouted problem --source 10.1.0.2 --group 239.7.1.5
says "4 routes are learned for it already" --source 10.1.0.2 --group 239.7.1.5
finds unrouted ok --source 10.1.0.2 --group 239.7.1.0
nb mfc del --group 239.7.0.0/16
send 239.64.0.0 100 1000 8 100
within 10 "the service knows of all that wait" passes finds unrouted warning
says "8 flows without a route wait in the kernel, and not more may" --group 239.64.0.99
finds unrouted problem --group 239.64.0.0

# A table, and IPv6.
nb mfc add --group ff05::/112 --iif r+ --oifs r1
finds arrival warning --source fd00:1::2 --group ff05::1
finds iif ok --source fd00:1::2 --group ff05::1
