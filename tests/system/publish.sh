#!/bin/bash
# A user without rights publishes Sampled Values and GOOSE, and another one sees them at the other
# end: by our own analyser and by tshark, which agree with what was asked for.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"

serve

how=()
# seen NAME COUNT KIND COMMAND...: sv subscribe or goose subscribe follows p1 for so many frames, to
# the file NAME, while the command runs.
seen() {
    local subscriber

    as operator $work/build/client/netbroker "$3" subscribe p1 --direction in --json \
        --interval cycle -c "$2" "${how[@]}" >$work/files/"$1" 2>$work/files/"$1".err &
    subscriber=$!
    within 10 "it is seen" open_are CAPTURE 1
    "${@:4}"
    wait $subscriber || fail "the subscriber: $(cat $work/files/"$1".err)"
    within 10 "it is seen no more" open_are CAPTURE 0
}

publish_py() {
    python3 "$tests/publish.py" "$@"
}

# fields NAME FIELD...: of the frames in a capture, by tshark, each set of values once.
fields() {
    tshark -r $work/files/"$1" -o sv.decode_data_as_phsmeas:TRUE -T fields -E separator=' ' \
        "${@:2}" 2>/dev/null | sort -u
}

# peer VERB NAME...: by a subscriber that shares nothing with ours, which refuses what keeps to no
# rule.
peer() {
    python3 "$tests/iec61850.py" "$1" $work/files/"$2" "${@:3}" || fail "the peer's $2"
}

not_malformed() {
    peer show "$1" >$work/files/"$1".json
    equal "malformed frames of $1" "" "$(tshark -r $work/files/"$1" \
        -o sv.decode_data_as_phsmeas:TRUE -Y '_ws.malformed || _ws.expert' 2>/dev/null)"
}

# --- Sampled Values: phasors --------------------------------------------------------------------

sv() {
    sends 0 operator sv publish p0 --late 0 --json "$@"
}
how=(--sample-rate 4800)
seen plain 2400 sv sv --frequency 60 --duration 0.5 --currents 100:-30 --voltages 63500:0 \
    --harmonics I=5:10:20 --simulation --conf-rev 7 --smp-synch global --quality Va=questionable,test
publish_py status $work/files/out NETBROKER01 2400
publish_py phasors $work/files/plain 60 4800 2400 100 -30 63500 0
publish_py quality $work/files/plain 4 questionable test

# Off the nominal frequency, one phase apart, and a fault.
how=(--sample-rate 4000)
seen off 6000 sv sv --signal-frequency 49.2 --frequency 50 --sample-rate 4000 --duration 1.5 \
    --currents 200:10 --voltages 57735 --currents c=50:90
publish_py frequency $work/files/off 49.2
how=(--sample-rate 4800)
seen fault 2400 sv sv --frequency 60 --count 2400 --fault-at 0.2 --fault-currents a=900:-80 \
    --fault-voltages a=10
publish_py fault $work/files/fault 100 900

# --- Sampled Values: frames ---------------------------------------------------------------------

received frames 2400 sv --frequency 60 --sample-rate 14400 --duration 1 --sv-id TEST/MU01 --vlan 5 \
    --vlan-priority 6 --app-id 0x4567 --conf-rev 3 --destination 01:0c:cd:04:01:ff
not_malformed frames
equal "what tshark sees" \
    "01:0c:cd:04:01:ff 02:00:00:00:00:01 5 6 0x4567 6 TEST/MU01,TEST/MU01,TEST/MU01,TEST/MU01,TEST/MU01,TEST/MU01 3,3,3,3,3,3" \
    "$(fields frames -e eth.dst -e eth.src -e vlan.id -e vlan.priority -e sv.appid -e sv.noASDU \
        -e sv.svID -e sv.confRev)"
equal "smpCnt" "14400 0 14399" "$(fields frames -e sv.smpCnt | tr , '\n' | sort -n |
    awk 'NR == 1 { first = $1 } { last = $1 } END { print NR, first, last }')"
publish_py grid $work/files/frames 14400

# --- Sampled Values: fields and channels ----------------------------------------------------------

# shellcheck disable=SC2016 # they are no expressions
fields_sent() {
    start=$((($(date +%s) + 3) * 1000))
    sv --frequency 60 --count 240 --refr-tm --smp-mod second --gm-identity 00:30:a7:ff:fe:00:00:01 \
        --dat-set 'MU01/LLN0$PhsMeas1' --start $start
}
received optional 240 fields_sent
not_malformed optional
# shellcheck disable=SC2016
equal "optional fields" '"MU01/LLN0$PhsMeas1" 4800 1 "0030a7fffe000001" 0' \
    "$(peer fields optional datSet smpRate smpMod gmIdentity smpSynch | sort -u)"
peer fields optional smpCnt refrTm >$work/files/refr
publish_py refr_tm $work/files/refr "$start" 4800
received period 10 sv --frequency 50 --count 10 --smp-rate auto
equal "samples of a period" "80 null" "$(peer fields period smpRate smpMod | sort -u)"

# samples NAME: how many channels the samples of a capture have.
samples() {
    peer fields "$1" sample | python3 -c '
import json, sys
print(*sorted({len(json.loads(line)) for line in sys.stdin}))'
}
for layout in "I1 1" "I3U3 6" "6I6V 12" "I12U12 24" "I80U80 160"; do
    read -r text count <<<"$layout"
    received "$text" 50 sv --frequency 60 --count 50 --channels "$text" --smp-synch local
    not_malformed "$text"
    equal "channels of $text" "$count" "$(samples "$text")"
done

# Phasors of several networks in a sample.
how=(--sample-rate 4800 --channels I8U3)
seen networks 1200 sv sv --frequency 60 --count 1200 --channels I8U3 --currents 200:10 \
    --currents I2b=50:90 --voltages 1000 --smp-mod second
publish_py networks $work/files/networks

# --- Sampled Values: what is wrong on purpose, and the clock --------------------------------------

# 2400 frames: 3 and, of those that are left, 2 of 1000 are missing; 2 come twice.
how=(--sample-rate 4800)
seen flaws 2397 sv sv --frequency 60 --count 2400 --drop 3@0.1 --duplicate 2@0.2 --drop 1/1000
publish_py flaws $work/files/out 5 2
publish_py losses $work/files/flaws 2397 5 2
received synched 480 sv --frequency 60 --count 480 --smp-synch global --smp-synch 0.05:none \
    --smp-synch 0.075:7
equal "smpSynch" "240 2
120 0
120 7" "$(peer fields synched smpSynch | uniq -c | awk '{ print $1, $2 }')"
received clocked 48 sv --frequency 60 --count 48 --smp-synch auto
publish_py clock $work/files/out "$(peer fields clocked smpSynch | sort -u)"
seen worse 2400 sv sv --frequency 60 --count 2400 --fault-at 0.2 --fault-quality Ib=invalid
equal "quality before and in the fault" "good invalid" "$(python3 -c '
import json, sys
seen = [line["data"]["quality"][1]["validity"] for line in map(json.loads, sys.stdin)
        if line["topic"] == "analyzer/streams"]
print(seen[0], seen[-1])' <$work/files/worse)"

# Lines while it runs.
sv --frequency 60 --duration 3.2
publish_py running $work/files/out 2
publish_py status $work/files/out NETBROKER01 15360

# --- A recording --------------------------------------------------------------------------------

publish_py comtrade $work/files/rec 50
publish_recording() {
    seen "$1" "$2" sv sv --comtrade $work/files/rec.cfg --sample-rate 4800 "${@:3}"
}
publish_recording recorded 4799
publish_py phasors $work/files/recorded 50 4800 4799 120 0 64000 0
publish_recording looped 7200 --loop --duration 1.5
publish_py phasors $work/files/looped 50 4800 7200 120 0 64000 0
publish_recording named 2400 --channels VA,-,3,-,IA,IB,IC --count 2400
publish_py named $work/files/named

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
contains "what is wrong" "there is no such member" "$(cat $work/files/err)"
contains "what is wrong" "an int is a whole number" "$(cat $work/files/err)"
contains "what is wrong" "more than 1023 bytes" "$(cat $work/files/err)"

# --- What is wrong is said before anything is sent ------------------------------------------------

printf 'x' >$work/files/wrong.cfg
printf 'x' >$work/files/wrong.dat
head -c 100 $work/files/rec.dat >$work/files/short.dat
cp $work/files/rec.cfg $work/files/short.cfg
mkfifo $work/files/pipe
while read -r status text options; do
    # shellcheck disable=SC2086 # words
    sends "$status" operator sv publish p0 ${options//WORK/$work}
    contains "sv publish $options" "${text//_/ }" "$(cat $work/files/err)"
done <<'END'
2 from_100_to_65535 --sample-rate 99
2 from_100_to_65535 --sample-rate 1e3
2 no_whole_number_of_frames --sample-rate 4000 --asdus 3
2 from_1_to_16 --sample-rate 12800 --asdus 17
2 longer_than_Ethernet --sample-rate 4800 --asdus 16
2 no_phasor --currents x
2 no_phasor --currents d=5
2 no_phasor --currents -5
2 no_phasor --currents nan
2 no_phasor --currents 1:2:3
2 no_harmonic --harmonics 1:5
2 no_harmonic --harmonics 51:5
2 no_harmonic --harmonics Q=5:5
2 no_harmonic --harmonics =5:5
2 higher_--sample-rate --harmonics 40:5
2 --fault-at_says --fault-currents 5
2 is_not_told --fault-at 1
2 no_quality --quality bad
2 no_quality --quality Ix=good
2 none,_local,_global --smp-synch ptp
2 Ethernet_address --destination 1:2
2 0_to_4094 --vlan 4095
2 0_to_7 --vlan-priority 8
2 0_to_65535 --app-id 0x10000
2 full_second --start 1700000000001
2 both_say --count 5 --duration 5
2 for_a_recording --loop
2 nothing_is_generated --comtrade x.cfg --currents 5
2 takes_a_.cfg_or_.cff --comtrade /dev/null
1 No_such_file --comtrade WORK/files/none.cfg
1 wrong.cfg:1: --comtrade WORK/files/wrong.cfg
1 short.dat:3: --comtrade WORK/files/short.cfg
2 no_analog_channel --comtrade WORK/files/rec.cfg --channels Q
2 I4U4 --channels Q
2 says_that_once --channels I4U4 --channels I3U3
2 longer_than_Ethernet --channels I90U90 --asdus 2
2 no_phasor --channels I2 --currents b=5
2 none,_local,_global,_auto --smp-synch 1:none --smp-synch 0.5:local
2 none,_local,_global,_auto --smp-synch x:none
2 3@2.5 --drop 3
2 1/100 --duplicate 5/x
2 more_frames_than_there_are --drop 3/2
2 no_whole_number --frequency 60 --sample-rate 4000 --smp-rate auto
2 period,_second --smp-mod x
2 clock's_identity --gm-identity 00
2 --fault-at_says --fault-quality invalid
2 takes_8_at_most --comtrade WORK/files/rec.cfg --channels 1,1,1,1,1,1,1,1,1
END
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
2 before_it --change 2:1=true --change 1:1=true
2 more_than_--longest --shortest 50 --longest 10
2 from_1_to_100 --life 0
END
denied "a source that the policy does not allow" nb_as member sv publish p0 --count 1 --source 02:00:00:00:00:09
nothing_is_left
