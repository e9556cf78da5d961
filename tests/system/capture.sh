#!/bin/bash
# What a user without rights captures is what tcpdump captures beside it, as root: each frame, with
# its VLAN tags and its time. Files are what Wireshark's programs take without a complaint.
. "$(dirname "$0")/lib.sh"

for program in tcpdump tshark capinfos xxd; do
    command -v $program >/dev/null || skip "there is no $program"
done
. "$(dirname "$0")/capture-lib.sh"

serve
tcpdump -i r0 --time-stamp-precision=nano -U -w $work/files/theirs -Z root 2>$work/tcpdump.err &
tcpdump=$!
within 10 "tcpdump listens" grep -q "listening on" $work/tcpdump.err
capture member ours --interface r0 --pcap
capture member whole -i r0 --comment "a test"

# Plain, with a tag of a VLAN, of a priority, two tags of two kinds, three tags, an 802.3 length, a
# long one; from both sides.
traffic=(88b8"$(printf '11%.0s' {1..60})" 8100606488ba"$(printf '22%.0s' {1..60})"
    8100e00088ba"$(printf '33%.0s' {1..60})" 88a8200a8100606588ba"$(printf '44%.0s' {1..60})"
    810020018100200281002003"$(printf '55%.0s' {1..60})" 0032"$(printf '66%.0s' {1..50})"
    88b8"$(printf '77%.0s' {1..1500})")
arrive 1 "$mark"
for _ in 1 2 3; do
    arrive 20 "${traffic[@]}"
    leave 20 "${traffic[@]}"
    ping -c 2 -i 0.05 -q 10.1.0.2 >/dev/null
done
arrive 1 "$mark"
file_has_marks() {
    [ "$(strings $work/files/"$1" | grep -c netbroker-mark)" -ge 2 ]
}
for file in theirs ours whole; do
    within 10 "$file has all" file_has_marks $file
done
kill -INT $tcpdump
wait $tcpdump
ends ours 0 INT
ends whole 0 TERM
count=$(python3 "$tests/capture.py" between $work/files/theirs $work/files/ours netbroker-mark)
[ "$count" -ge 840 ] || fail "only $count frames were compared"

# The same in pcapng, with all around it.
ours_only="eth.src == 02:00:00:00:00:01" # the kernel sends some of its own when it likes
equal "frames that were sent" 842 "$(frames_of ours "$ours_only")"
equal "frames of pcapng" 842 "$(frames_of whole "$ours_only")"
capinfos -A $work/files/whole >$work/infos 2>$work/complaints || fail "$(cat $work/complaints)"
equal "complaints of capinfos" "" "$(cat $work/complaints)"
for line in "File type: *Wireshark/... - pcapng" "Name = r0" "Number of packets: *$(frames_of whole)" \
    "Time precision = nanoseconds" "a test" "netbroker"; do
    grep -q "$line" $work/infos || fail "capinfos does not say '$line': $(cat $work/infos)"
done
contains "the counts" "0 lost by the kernel, 0 by this command" "$(cat $work/files/whole.err)"

# An expression, a number, and standard output; its reader goes when it has enough.
nb_as member capture -i r0 -f "vlan 100" -c 5 -w - >$work/files/vlans 2>$work/err &
filtered=$!
within 10 "it is open" captures_are 1
arrive 10 "${traffic[@]}"
wait $filtered
equal "frames of VLAN 100" 5 "$(frames_of vlans vlan.id==100)"
(status=0; nb_as member capture -i r0 -w - || status=$?; echo $status >$work/pipe-status) |
    head -c 400 >/dev/null &
within 10 "it is open" captures_are 1
gone() {
    arrive 20 "${traffic[@]}"
    [ -s $work/pipe-status ]
}
within 20 "it has ended with its reader" gone
equal "exit status of it" 0 "$(cat $work/pipe-status)"
within 10 "nothing is left" captures_are 0
within 10 "no socket is left" sockets_are 0
