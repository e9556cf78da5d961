#!/bin/bash
# The real smcrouted(8) and the service forward the same packets by the same configuration. $SMCROUTED
# says where the former is.
. "$(dirname "$0")/lib.sh"
smcrouted=${SMCROUTED:-smcrouted}
command -v "$smcrouted" >/dev/null || skip "no smcrouted"
need_root "smcrouted asks for it"

cat >$work/smcroute.conf <<'END'
phyint r0 enable
phyint r1 enable
phyint r2 enable ttl-threshold 5

mroute from r0 source 10.1.0.2 group 225.1.1.1 to r1 r2
mroute from r0 source 10.1.0.9 group 225.1.1.2 to r1 r2
mroute from r0 group 225.1.1.3 to r2
mroute from r0 group 225.1.1.4 to r1
mroute from r0 group 225.1.1.4 to r2
mroute from r0 source 10.1.0.2 group 225.1.1.5 to r1
mroute from r1 source 10.1.0.2 group 225.1.1.5 to r2
mroute from r1 group 225.1.1.6 to r2
mroute from r0 group 225.1.1.6 to r1
mroute from r0 source 10.1.0.2 group 225.1.1.7
mroute from r0 source 10.1.0.2 group 225.1.1.8 to r0 r1
mroute from r0 group 225.2.0.0/16 to r1
mroute from r0 source 10.1.0.0/24 group 225.3.0.0/24 to r2
mroute from r0 source 10.9.0.0/24 group 225.3.1.0/24 to r1
mroute from r+ group 225.4.1.1 to r1
mroute from r0 source fd00:1::2 group ff0e::1:1 to r1 r2
mroute from r0 group ff0e::1:2 to r2
mroute from r0 group ff0e::2:0/112 to r1
END
flows="225.1.1.1/8 225.1.1.1/4 225.1.1.2/8 225.1.1.3/8 225.1.1.3/4 225.1.1.4/8 225.1.1.5/8 225.1.1.6/8
    225.1.1.7/8 225.1.1.8/8 225.9.9.9/8 225.2.0.1/8 225.2.255.254/8 225.3.0.1/8 225.3.1.1/8
    225.4.1.1/8 ff0e::1:1/8 ff0e::1:1/4 ff0e::1:2/8 ff0e::2:7/8 ff0e::9:9/8"

# arrived NAME: "yes" or "no". How many is another matter: on a busy machine smcrouted may learn of a
# flow late, and miss its first packets.
arrived() {
    case $(result "$1") in
    "received 0 "*) echo no ;;
    *) echo yes ;;
    esac
}

# Prints of each flow, a group and a TTL, what arrives behind r1 and behind r2.
measure() {
    local flow

    for flow in $flows; do
        receive receiver1 receiver1 d1 "${flow%/*}" 30
        receive receiver2 receiver2 d2 "${flow%/*}" 30
        send "${flow%/*}" 30 1000 "${flow#*/}"
        sleep 0.2
        stop_receiver receiver1
        stop_receiver receiver2
        echo "$flow $(arrived receiver1) $(arrived receiver2)"
    done
}

has_routes() {
    ip mroute | grep 225.1.1.8 && ip -6 mroute | grep -F ff0e::1:1
}

make_topology
"$smcrouted" -n -f $work/smcroute.conf -u $work/smcroute.sock -P $work/smcroute.pid \
    2>$work/smcroute.log &
peer=$!
within 10 "smcrouted has its routes" has_routes
measure >$work/theirs
kill $peer
wait $peer || true

start_daemon
nb mfc import $work/smcroute.conf
measure >$work/ours
diff -y $work/theirs $work/ours || fail "smcrouted (left) and the service (right) differ"
