#!/bin/bash
# Sampled Values with each field that may be there, any number of channels, what is wrong on purpose,
# and what the clock says; seen by a peer that shares nothing with ours, by tshark and by our
# analyser.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"
. "$(dirname "$0")/publish-lib.sh"

serve

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

nothing_is_left
