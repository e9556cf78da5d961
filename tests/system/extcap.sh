#!/bin/bash
# What Wireshark asks of netbroker-extcap, with the arguments that it gives (doc/README.extcap of
# Wireshark), by users without rights: lists, options, the check of a filter, captures into a FIFO, and
# how they end. tests/wireshark/live.sh has tshark itself ask.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/capture-lib.sh"

cat >$work/policy.conf <<EOF
[allow members to capture]
group = netbroker
verbs = raw.capture
interfaces = r0, r2, lo, tun9

[allow the operator sampled values that come in]
user = operator
verbs = raw.capture
interfaces = r0
ethertypes = sv, 0x88b8
direction = in
promiscuous = no

[allow the operator what is no IPv4]
user = operator
verbs = raw.capture
interfaces = r1

[deny the operator IPv4]
user = operator
verbs = raw.*
interfaces = r1
ethertypes = ipv4
EOF
echo "capture-interfaces = r0, r1, lo, tun9" >>$work/netbrokerd.conf
sed -i '/r0, r1$/d' $work/netbrokerd.conf
cp "$build/client/netbroker-extcap" $work/build/client
mark=88b5$(printf 'netbroker-mark' | od -An -tx1 | tr -d ' \n')$(printf '00%.0s' {1..30})

# extcap USER ARGUMENT...: standard output; errors are in $work/err, which is else empty.
extcap() {
    as "$1" $work/build/client/netbroker-extcap "${@:2}" 2>$work/err
}

# answers WHAT EXPECTED USER ARGUMENT...: with status 0, and not a word beside it
answers() {
    local is

    is=$(extcap "${@:3}") || fail "$1: status $?, $(cat $work/err)"
    equal "$1" "$2" "$is"
    equal "errors of $1" "" "$(cat $work/err)"
}

# fails WHAT STATUS PART USER ARGUMENT...: says so on standard error alone
fails() {
    local status=0 is

    is=$(extcap "${@:4}") || status=$?
    equal "status of $1: $(cat $work/err)" "$2" $status
    equal "standard output of $1" "" "$is"
    contains "errors of $1" "$3" "$(cat $work/err)"
}

# --- The service is away ------------------------------------------------------------------------

list=(--extcap-interfaces --extcap-version=4.0)
before=$(now_ms)
answers "the list without a service" "" member "${list[@]}"
at_most "milliseconds without a service" 500 $(($(now_ms) - before))
config=$(extcap member --extcap-config --extcap-interface netbroker-r0)
contains "options without a service" "{call=--direction}" "$config"
mkfifo -m 666 $work/files/fifo
cat $work/files/fifo >/dev/null &
fails "a capture without a service" 3 "cannot reach netbrokerd" member --capture \
    --extcap-interface netbroker-r0 --fifo $work/files/fifo
wait $!

# --- Lists and options --------------------------------------------------------------------------

serve
ip tuntap add tun9 mode tun 2>/dev/null || echo "there are no tunnels here"
ip link set r1 down
head="extcap {version=$("$build/client/netbroker" --version | cut -d ' ' -f 2)}"
head+="{help=man:netbroker-extcap}{display=netbroker}"
answers "the member's list" "$head
interface {value=netbroker-lo}{display=netbroker: lo}
interface {value=netbroker-r0}{display=netbroker: r0}" member "${list[@]}"
answers "the operator's list" "$head
interface {value=netbroker-r0}{display=netbroker: r0}
interface {value=netbroker-r1}{display=netbroker: r1, down}" operator "${list[@]}"
answers "a stranger's list" "" stranger "${list[@]}"
answers "link types" "dlt {number=1}{name=EN10MB}{display=Ethernet}" member --extcap-dlts \
    --extcap-interface netbroker-r0

options_of() {
    extcap "$1" --extcap-config --extcap-interface netbroker-"$2"
}
equal "options" "0 1 1 1 1 2 3 4 5 6 6 6" \
    "$(options_of member r0 | sed 's/^[a-z]* {[a-z]*=\([0-9]\).*/\1/' | xargs)"
contains "options of all EtherTypes" "{placeholder=all}" "$(options_of member r0 | head -n 1)"
contains "what may be had" "You may capture: all}" "$(options_of member r0 | head -n 1)"
contains "EtherTypes of the operator" "{default=0x88ba,0x88b8}" "$(options_of operator r0)"
equal "directions of the operator" "value {arg=1}{value=in}{display=In}{default=true}" \
    "$(options_of operator r0 | grep "^value {arg=1}")"
contains "what is denied" "You may capture: all but 0x0800}" "$(options_of operator r1)"
equal "no option to be promiscuous" "" "$(options_of operator r0 | grep promiscuous || true)"
equal "the same for programs" \
    '[{"direction": "in", "promiscuous": false, "ethertypes": ["0x88ba", "0x88b8"]}]' \
    "$(nb_as operator --json capture interfaces | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["interfaces"][0]["scopes"]))')"
contains "the same for people" "r1         ethernet  down   all but 0x0800" \
    "$(nb_as operator capture interfaces)"
denied "who may capture nothing" nb_as stranger capture interfaces

# What is told holds: a scope's request is granted, and what lies outside is not.
try_capture() {
    nb_as operator capture -i r1 --duration 1 "$@" >$work/tried 2>&1
}
denied "all of r1" nb_as operator capture -i r1
denied "IPv4 of r1" nb_as operator capture -i r1 --ethertypes ipv4
try_capture --ethertypes arp || fail "ARP of r1 is refused: $(cat $work/tried)"

# --- Filters ------------------------------------------------------------------------------------

filter=(--extcap-interface netbroker-r0 --extcap-capture-filter)
answers "a right filter" "" member "${filter[@]}" "udp port 53"
answers "an empty filter" "" member "${filter[@]}" ""
answers "a wrong filter" "can't parse filter expression: syntax error" member "${filter[@]}" \
    "udp prot 53"
contains "a filter that is too long" "it is too long" \
    "$(extcap member "${filter[@]}" "$(seq -s ' or ' -f 'port %.0f' 1000 1100)")"

# --- Captures -----------------------------------------------------------------------------------

# run NAME USER ARGUMENT...: a capture that writes to a reader, whose file is NAME.
declare -A readers
run() {
    local before
    before=$(captures)

    mkfifo -m 666 $work/files/"$1".fifo
    cat $work/files/"$1".fifo >$work/files/"$1" &
    readers[$1]=$!
    setpriv --reuid "$2" --regid "$2" --init-groups $work/build/client/netbroker-extcap --capture \
        --fifo $work/files/"$1".fifo "${@:3}" >$work/files/"$1".out 2>$work/files/"$1".err &
    running[$1]=$!
    within 10 "$1 is open" captures_are $((before + 1))
}

# ended NAME STATUS [SIGNAL]: as ends, and nothing stands on standard output.
ended() {
    ends "$@"
    wait "${readers[$1]}" || true
    equal "standard output of $1" "" "$(cat $work/files/"$1".out)"
}

marks_in() {
    grep -a -o netbroker-mark $work/files/"$1" | wc -l
}
has_marks() {
    [ "$(marks_in "$1")" -ge "$2" ]
}
magic() {
    od -An -tx4 -N 4 $work/files/"$1" | tr -d ' '
}

# Frames are there at once; SIGTERM ends it at once, and without a word.
run plain member --extcap-interface netbroker-r0
arrive 3 "$mark"
within 10 "frames of plain" has_marks plain 3
before=$(now_ms)
ended plain 0 TERM
at_most "milliseconds that SIGTERM takes" 1000 $(($(now_ms) - before))
equal "the magic of pcapng" 0a0d0d0a "$(magic plain)"
equal "errors of plain" "" "$(cat $work/files/plain.err)"

# With all options, as Wireshark gives them; one that a later Wireshark may have is passed over.
run all member --extcap-interface=netbroker-r0 --extcap-capture-filter "ether proto 0x88b5" \
    --ethertypes "0x88b5, 0x88b8" --direction in --promiscuous --snaplen 40 --buffer 256 --latency 1 \
    --format pcap --extcap-of-tomorrow yes
equal "promiscuity" 1 "$(ip -d -j link show r0 | member 0.promiscuity)"
arrive 2 88b8"$(printf '11%.0s' {1..60})" "$mark" 0806"$(printf '22%.0s' {1..60})"
leave 2 "$mark"
within 10 "frames of all" has_marks all 2
ended all 0 INT
equal "the magic of pcap" a1b23c4d "$(magic all)"
equal "bytes of all" $((24 + 2 * (16 + 40))) "$(stat -c %s $work/files/all)"

# Who only gets some EtherTypes gets them by the defaults, and nothing else.
fails "more than is granted" 1 "may not do raw.capture" operator --capture \
    --extcap-interface netbroker-r0 --fifo /dev/null
run narrow operator --extcap-interface netbroker-r0 --ethertypes 0x88ba,0x88b8 --direction in
arrive 2 "$mark" 88b8"$(printf 'netbroker-mark%.0s' {1..4} | od -An -tx1 | tr -d ' \n')"
within 10 "frames of narrow" has_marks narrow 8
ended narrow 0 TERM
equal "marks of narrow" 8 "$(marks_in narrow)"

# The reader goes: no error, and at once, when the next frame comes.
run left member --extcap-interface netbroker-r0
arrive 1 "$mark"
within 10 "frames of left" has_marks left 1
kill "${readers[left]}"
wait "${readers[left]}" || true
has_left() {
    arrive 5 "$mark"
    [ ! -e /proc/"${running[left]}" ] || [ "$(captures)" = 0 ]
}
within 10 "it has ended with its reader" has_left
ends left 0
equal "errors of left" "" "$(cat $work/files/left.err)"

# SIGTERM while nobody reads: neither before the FIFO is open, nor when it is full.
mkfifo -m 666 $work/files/alone.fifo
setpriv --reuid member --regid member --init-groups $work/build/client/netbroker-extcap --capture \
    --extcap-interface netbroker-r0 --fifo $work/files/alone.fifo 2>$work/files/alone.err &
alone=$!
takes_signals() {
    [ "$(cat /proc/$alone/comm)" = netbroker-extca ] &&
        [ $((0x$(awk '/^SigCgt/ { print $2 }' /proc/$alone/status) >> 14 & 1)) = 1 ]
}
within 10 "it takes signals" takes_signals
kill -TERM $alone
wait $alone || fail "SIGTERM before the reader came: $?"
run stalled member --extcap-interface netbroker-r0 --buffer 256
kill -STOP "${readers[stalled]}"
arrive 4000 88b5"$(printf 'aa%.0s' {1..1400})"
kill -TERM "${running[stalled]}"
has_ended() {
    ! grep -q "^State:[[:space:]]*[^Z]" /proc/"${running[stalled]}"/status
}
within 10 "it ends while its reader stalls" has_ended
wait "${running[stalled]}" || fail "status of it: $?"
kill -CONT "${readers[stalled]}"
kill "${readers[stalled]}" 2>/dev/null || true

# The service is killed, or stopped, and there again: it is asked for the same, and Wireshark gets what
# comes, without a word; the first frame says that some are missing.
within 10 "nothing is left" captures_are 0
run killed member --extcap-interface netbroker-r0
arrive 3 "$mark"
within 10 "frames of killed" has_marks killed 3
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "the next broker" nb ping
within 10 "it goes on" captures_are 1
arrive 2 "$mark"
within 10 "frames behind" has_marks killed 5
kill -TERM "$(status_of keeper.pid)"
within 10 "the next service" nb ping
restarts_expected=0 # it is counted anew
within 10 "it goes on again" captures_are 1
arrive 2 "$mark"
within 10 "frames behind that" has_marks killed 7
ended killed 0 TERM
equal "errors of killed" "" "$(cat $work/files/killed.err)"
equal "frames that say so" 2 "$(grep -a -o "The service was gone before this frame" \
    $work/files/killed | wc -l)"
within 10 "nothing is left of it" captures_are 0

# --- Wrong arguments ----------------------------------------------------------------------------

capture=(--capture --fifo /dev/null --extcap-interface netbroker-r0)
fails "no question" 2 "Wireshark and tshark start this program" member
fails "no interface" 2 "--extcap-interface is missing" member --capture --fifo /dev/null
fails "another's interface" 2 "'eth0' is none of the interfaces" member --capture \
    --extcap-interface eth0 --fifo /dev/null
fails "no fifo" 2 "--fifo is missing" member --capture --extcap-interface netbroker-r0
fails "a fifo that is not there" 1 "cannot open $work/files/none" member --capture \
    --extcap-interface netbroker-r0 --fifo $work/files/none
fails "an option that is none" 2 "'--none' is no option" member "${capture[@]}" --none
fails "no value" 2 "--snaplen takes a value" member "${capture[@]}" --snaplen
fails "no number" 2 "--snaplen takes 14 to 262144, and '1x'" member "${capture[@]}" --snaplen 1x
fails "too much" 2 "--buffer takes 256 to " member "${capture[@]}" --buffer 99999999
fails "no flag" 2 "--promiscuous takes true or false" member "${capture[@]}" --promiscuous=maybe
fails "no format" 2 "--format takes pcapng or pcap" member "${capture[@]}" --format text
fails "a wrong filter" 2 "syntax error" member "${capture[@]}" --extcap-capture-filter "udp prot 53"
fails "no direction" 1 "direction" member "${capture[@]:0:1}" --fifo /dev/null \
    --extcap-interface netbroker-r0 --direction up
within 10 "nothing is left" captures_are 0
within 10 "no socket is left" sockets_are 0

# --- The service goes for ever ------------------------------------------------------------------

# It is said, and what came before is whole.
run last member --extcap-interface netbroker-r0
arrive 3 "$mark"
within 10 "frames of last" has_marks last 3
keeper=$(status_of keeper.pid) broker=$(status_of broker.pid)
(check_end)
kill -KILL "$daemon" "$keeper" "$broker"
daemon=
ended last 3
contains "what it says" "the service is gone" "$(cat $work/files/last.err)"
equal "frames before" 3 "$(marks_in last)"
grep -a -q "The capture ends here: the service is gone" $work/files/last || fail "no last block"
