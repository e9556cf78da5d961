#!/bin/bash
# Sampled Values and GOOSE of a capture file: what was lost, phasors, events; without a service, and
# without any right.
. "$(dirname "$0")/lib.sh"

tool=$build/tests/wireshark/iec61850-tool
nb=$build/client/netbroker

# said WHAT STATUS PART COMMAND...: it ends with this status and says this on standard error.
said() {
    local status=0

    "${@:4}" >$work/out 2>$work/err || status=$?
    equal "status of $1" "$2" $status
    contains "$1" "$3" "$(cat $work/err)"
}

# --- Sampled Values -----------------------------------------------------------------------------

# Frames 100, 101 and 7000 are left out, 500 and 600 come twice.
"$tool" stream $work/one 4800 1 60.03 9600 100 101 -500 -600 7000
said "a stream" 0 "" "$nb" sv subscribe --file $work/one --json
python3 "$tests/subscribe.py" sv $work/out 4800 60.03 samples=9599 lost=3 repeated=2 late=0 \
    restarts=0 frames=9599 asdus=1 smpCnt=4799 >$work/count
equal "reports of two seconds" 2 "$(cat $work/count)"

# Each profile, with its ASDUs in a frame; frame 200 is left out, which is so many samples.
for profile in "4000 1 50.2" "4800 2 49.9" "12800 8 50.01" "14400 6 59.5" "15360 8 61"; do
    read -r rate asdus frequency <<<"$profile"
    "$tool" stream $work/profile "$rate" "$asdus" "$frequency" $((rate * 2)) 200
    "$nb" sv subscribe --file $work/profile --json --harmonics --waveforms >$work/out
    python3 "$tests/subscribe.py" sv $work/out "$rate" "$frequency" lost="$asdus" repeated=0 \
        asdus="$asdus" >/dev/null
done

# A report each cycle, as many as there are cycles behind the first ones.
"$tool" stream $work/cycles 4000 1 50 4000
"$nb" sv subscribe --file $work/cycles --interval cycle --sample-rate 4000 --json >$work/out
count=$(python3 "$tests/subscribe.py" sv $work/out 4000 50 lost=0)
[ "$count" -ge 45 ] || fail "only $count reports of 50 cycles"
count=$("$nb" sv subscribe --file $work/cycles --json --count 100 | wc -l)
equal "lines of 100 frames" 2 "$count" # too few for phasors

# For people.
said "a table" 0 "4000 frames of 1 streams; 0 frames were lost" "$nb" sv subscribe --file $work/cycles
contains "who it is" "MU01: APPID 0x4000, VLAN 5 priority 4, confRev 1, clock global" "$(cat $work/out)"
grep -qE "^Va  +63500\.0[0-9]+ +V +[-0-9.]+ +63579\.[0-9]+ +5\.00 % +good$" $work/out ||
    fail "no line of Va: $(cat $work/out)"
cat $work/cycles >$work/copy
"$nb" sv subscribe --file - <$work/copy >/dev/null 2>$work/err
contains "standard input" "4000 frames of 1 streams" "$(cat $work/err)"

# --- GOOSE --------------------------------------------------------------------------------------

"$tool" goose $work/goose
said "messages" 0 "" "$nb" goose subscribe --file $work/goose --json
python3 "$tests/subscribe.py" goose $work/out
equal "times of events" "1000000 1000100 1000200 1000300 1000302 1000310 1000310 1000400 1000400 1000600 1001400" \
    "$(python3 "$tests/subscribe.py" times $work/out)"
TZ=UTC said "for people" 0 "8 messages of 1 publishers" "$nb" goose subscribe --file $work/goose --changes
equal "without repetitions" 6 "$(wc -l <$work/out)"
# shellcheck disable=SC2016 # they are no expressions
contains "a state" '00:16:40.300000 state      IED1/LLN0$GO$gcb1 stNum 2 sqNum 0 [true,[12.5,"001",[]],"a\"\u001b"]' \
    "$(cat $work/out)"

# Another publisher has lengths in their long form, numbers with zeros, each set of optional fields.
python3 "$tests/iec61850.py" goose $work/peer
said "another publisher" 0 "" "$nb" goose subscribe --file $work/peer --json --types
python3 "$tests/subscribe.py" peer_goose $work/out

python3 "$tests/iec61850.py" sv $work/peer
said "another publisher" 0 "50 frames of 7 streams" "$nb" sv subscribe --file $work/peer
said "another publisher" 0 "" "$nb" sv subscribe --file $work/peer --json --interval 0.01 --waveforms
python3 "$tests/subscribe.py" peer_sv $work/out

# Neither is the other, and what is none of both is passed over.
said "no GOOSE" 0 "0 messages of 0 publishers" "$nb" goose subscribe --file $work/cycles
equal "lines" "" "$(cat $work/out)"
said "no Sampled Values" 0 "0 frames of 0 streams" "$nb" sv subscribe --file $work/goose

# --- Mistakes -----------------------------------------------------------------------------------

said "neither" 2 "'sv subscribe' needs INTERFACE, or --file" "$nb" sv subscribe
said "both" 2 "'goose subscribe' takes INTERFACE or --file, not both" "$nb" goose subscribe r0 --file $work/goose
said "a file as INTERFACE" 2 "--file trace.pcapng reads it" "$nb" sv subscribe trace.pcapng
said "no file" 1 "cannot read '$work/none'" "$nb" sv subscribe --file $work/none
echo nonsense >$work/nonsense
said "no capture" 1 "netbroker: $work/nonsense, line 1: " "$nb" sv subscribe --file $work/nonsense
said "an interval" 2 "0.01 to 86400 without a unit" "$nb" sv subscribe --file $work/cycles --interval 100ms
said "a part of a second" 0 "frames of 1 streams" "$nb" sv subscribe --file $work/cycles --duration .5
gzip -c $work/cycles >$work/cycles.gz
said "a compressed one" 1 "cycles.gz: it is compressed: 'gzip -dc'" "$nb" sv subscribe --file $work/cycles.gz
said "channels" 2 "--channels takes how many" "$nb" sv subscribe --file $work/cycles --channels X4
said "channels" 2 "--channels takes how many" "$nb" sv subscribe --file $work/cycles --channels I91U92
said "an interval" 2 "--interval takes a number from 0.01" "$nb" sv subscribe --file $work/cycles --interval 0
said "a count" 2 "--count takes a number from 1" "$nb" goose subscribe --file $work/goose --count -3
said "a rate" 2 "--sample-rate takes a number" "$nb" sv subscribe --file $work/cycles --sample-rate 1e9

# Of a full disk both tell, also where lines are written one by one.
for what in "sv cycles" "goose goose"; do
    status=0
    "$nb" "${what% *}" subscribe --file $work/"${what#* }" >/dev/full 2>$work/err || status=$?
    equal "status of a full disk" 1 $status
    contains "what $what says" "cannot write the output" "$(cat $work/err)"
done

# Who reads no more ends it.
status=0
{ "$nb" sv subscribe --file $work/cycles --interval cycle --json || status=$?; echo $status >$work/status; } |
    head -n 1 >/dev/null
[ "$(cat $work/status)" != 0 ] || fail "it did not see that its reader is gone"
