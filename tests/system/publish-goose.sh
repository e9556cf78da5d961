#!/bin/bash
# A user without rights publishes GOOSE: states, retransmissions, nested values, changes by time and
# by hand; seen by tshark and by a peer that shares nothing with ours.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"
. "$(dirname "$0")/publish-lib.sh"

serve

# --- GOOSE --------------------------------------------------------------------------------------

# shellcheck disable=SC2016
goose() {
    sends 0 operator goose publish p0 --gocb-ref 'LD0/LLN0$GO$one' --dat-set 'LD0/LLN0$ds' \
        --go-id trip --value bool:false --value int:-5 --value float:1.5 --value bits:0110 \
        --value string:abc --shortest 10 --longest 80 --conf-rev 2 --json "$@"
}
received goose 12 goose --vlan 0 --count 12 --change 0.2:1=true --change '0.25:2=9' </dev/null
not_malformed goose
# shellcheck disable=SC2016
publish_py status $work/files/out 'LD0/LLN0$GO$one' 12
publish_py goose $work/files/goose
# shellcheck disable=SC2016
equal "what tshark sees" '0x0001 0 4 LD0/LLN0$GO$one LD0/LLN0$ds trip 2 5' \
    "$(fields goose -e goose.appid -e vlan.id -e vlan.priority -e goose.gocbRef -e goose.datSet \
        -e goose.goID -e goose.confRev -e goose.numDatSetEntries)"

# Structures, arrays and each type, of which a member changes.
received nested 6 goose --count 6 --value '{bool:false,[int:-1,int:-129],double:-2.25,{}}' \
    --value octets:00ff --value time:1600000000500000000:0x2a --value uint:255 --value utf8:x \
    --change '0.05:6.2.2=7 6.1=true' </dev/null
not_malformed nested
equal "what the peer sees" \
    '1 [false, -5, 1.5, "0110", "abc", [false, [-1, -129], -2.25, []], "00ff", [1600000000500000000, 42], 255, "x"]
2 [false, -5, 1.5, "0110", "abc", [true, [-1, 7], -2.25, []], "00ff", [1600000000500000000, 42], 255, "x"]' \
    "$(peer fields nested stNum allData | uniq)"

# A line of standard input changes the state; a wrong one is told, and changes nothing.
lines() {
    sleep 0.3
    printf '%s\n' "" "# a note" "9=1" "1=true 2=x" "1=true 2=77" "$(printf '%02000d' 0)" "4=1001"
}
typed() {
    lines | goose --duration 0.6
}
received typed 10 typed
equal "states" "1 false -5 0110
2 true 77 0110
3 true 77 1001" "$(publish_py states $work/files/typed | head -n 3)"
contains "what is wrong" "'9=1' of standard input changes nothing: there is no such member" "$(cat $work/files/err)"
contains "what is wrong" "an int is a whole number" "$(cat $work/files/err)"
contains "what is wrong" "more than 1023 bytes" "$(cat $work/files/err)"

# Lines while it runs.
goose --duration 2.4 </dev/null
publish_py running $work/files/out 1

# --- What is wrong is said before anything is sent ------------------------------------------------

while read -r status text options; do
    # shellcheck disable=SC2086 # words
    sends "$status" operator goose publish p0 $options </dev/null
    contains "goose publish $options" "${text//_/ }" "$(cat $work/files/err)"
done <<'END'
2 begins_with_bool --value real:5
2 true_or_false --value bool:maybe
2 whole_number --value int:1.5
2 not_negative --value uint:-1
2 0_and_1 --value bits:012
2 no_such_member --change 1:2=true
2 begins_with_the_time --change x
2 behind_the_end --duration 1 --change 2:1=true
2 before_it --change 2:1=true --change 1:1=true
2 more_than_--longest --shortest 50 --longest 10
2 from_1_to_100 --life 0
END
nothing_is_left
