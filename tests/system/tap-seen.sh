#!/bin/bash
# What an ordinary user is shown of taps: the kernel's own counters, all that is known of one, rates,
# and METRICS; and another's only by who may read it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

serve

# shown TAP KEY: as the service tells a member.
shown() {
    nb_as member --json tap show "$1" | member "taps.0.$2"
}

# counted TAP WAY KEY: as the kernel tells.
counted() {
    ip -j -s link show "$1" | member "0.stats64.$2.$3"
}

# The counters are the kernel's, of each way.
guest nb-a 'hosts=["192.168.7.1/24"]'
pings "at first"
agrees() {
    local before after

    before=$(counted nb-a "$2" "$3")
    seen=$(shown nb-a "$1")
    after=$(counted nb-a "$2" "$3")
    [ "$before" -le "$seen" ] && [ "$seen" -le "$after" ]
}
for pair in "rx_frames rx packets" "rx_bytes rx bytes" "rx_dropped rx dropped" \
    "tx_frames tx packets" "tx_bytes tx bytes" "tx_dropped tx dropped"; do
    # shellcheck disable=SC2086 # three words
    agrees $pair || fail "$pair: $seen"
done
[ "$(shown nb-a rx_frames)" -ge 3 ] || fail "three answers are three frames"

# All that is known of one.
text=$(nb_as member tap show nb-a)
for words in "NAME +nb-a" "USER +member" "SINCE +20" "MAC +fe:" "MTU +1500" "HOSTS +192.168.7.1/24" \
    "FLAGS +carrier" "RECEIVED +[0-9]+ frames, [0-9]+ bytes, 0 dropped"; do
    grep -qE "^$words" <<<"$text" || fail "no '$words' in $text"
done
equal "its lease" "$(nb --json leases | member leases.0.lease)" "$(shown nb-a lease)"
equal "one that is not there" "netbroker: there is no tap 'nb-none'" \
    "$(nb_as member tap show nb-none 2>&1 | cut -d . -f 1 || true)"
denied "a stranger" nb_as stranger tap show nb-a

# The table fits a terminal of 80 columns, also with rates.
table=$(nb_as member tap list)
contains "the table" " RX " "$table"
for words in "tap list" "tap list --watch 0.2" "tap show nb-a --watch 0.2"; do
    timeout 20 script -qec "stty cols 80 rows 24; exec setpriv --reuid member --regid member \
        --init-groups timeout 1.5 $work/build/client/netbroker $words" /dev/null </dev/null \
        >$work/terminal || true
    contains "'$words' on a terminal" "nb-a" "$(cat $work/terminal)"
    awk '{ gsub(/\r|\033\[[HJ]/, "") } length > 80 { print; bad = 1 } END { exit bad }' $work/terminal ||
        fail "'$words' does not fit"
done
contains "the rates" "RX/S" "$(cat $work/terminal)"

# Rates for programs: frames a second while a ping goes.
ping -i 0.02 -q 192.168.7.2 >/dev/null &
ping=$!
goes_through() {
    { nb_as member --json tap list --watch 0.2 || true; } | head -n 3 | tail -n 1 | python3 -c '
import json, sys
tap = json.load(sys.stdin)["taps"][0]
sys.exit(not (tap["rx_frames_per_second"] > 1 and tap["tx_bytes_per_second"] > 98))'
}
within 10 "rates" goes_through
kill $ping

# METRICS: of each tap, whatever its name.
guest nb-_.x
value() {
    nb metrics | python3 "$tests/exposition.py" "$1"
}
equal "taps" 2 "$(value netbroker_taps)"
equal "opened" 2 "$(value netbroker_taps_opened_total)"
[ "$(value 'netbroker_tap_receive_frames_total{tap="nb-a"}')" -ge 3 ] || fail "frames of nb-a"
equal "of the other" 0 "$(value 'netbroker_tap_transmit_dropped_total{tap="nb-_.x"}')"

# A program that takes nothing: what does not fit the queue of the kernel is dropped, and shown.
kill -STOP "${guests[nb-a]}"
python3 - <<END
import socket
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("nb-a", 0))
for _ in range(3000):
    sender.send(b"\xff" * 6 + b"\xfe" + bytes(5) + b"\x88\xb5" + bytes(50))
END
[ "$(shown nb-a tx_dropped)" -gt 0 ] || fail "frames that nobody took"
agrees tx_dropped tx dropped || fail "the drops: $seen"
[ "$(value 'netbroker_tap_transmit_dropped_total{tap="nb-a"}')" -gt 0 ] || fail "drops in METRICS"
kill -CONT "${guests[nb-a]}"
