#!/bin/bash
# A user without rights publishes Sampled Values, and another one sees them at the other end: by our
# own analyser and by tshark, which agree with what was asked for.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"
. "$(dirname "$0")/publish-lib.sh"

serve

# --- Sampled Values: phasors --------------------------------------------------------------------

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
2 milliseconds_since_1970 --start 1700000000000
2 milliseconds_since_1970 --start 1700000000
2 before_the_end --duration 0.5 --fault-at 1 --fault-currents 5
2 before_the_end --count 3 --fault-at 1 --fault-currents 5
2 without_a_unit --frequency 60Hz
2 without_a_unit --duration 100ms
2 point_and_no_comma --duration 0,5
2 without_a_unit --sample-rate 4.8k
2 up_to_1000000_A_and --currents 2000000
2 both_without_units --voltages 63.5kV
2 both_say --count 5 --duration 5
2 --loop_is_for_a_recording --loop
2 nothing_is_generated:_leave_--fault-at_out --comtrade x.cfg --fault-at 5
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
# An APPID as an SCL file has it is another number here: it is published as it was asked for, and told.
sends 0 operator sv publish p0 --count 1 --app-id 4000
contains "a decimal APPID" "is taken as a decimal number, which is 0x0fa0" "$(cat $work/files/err)"
sends 0 operator sv publish p0 --count 1 --app-id 0x4000
equal "of a hexadecimal one" "" "$(cat $work/files/err)"
denied "a source that the policy does not allow" nb_as member sv publish p0 --count 1 --source 02:00:00:00:00:09
nothing_is_left
