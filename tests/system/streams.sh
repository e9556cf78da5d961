#!/bin/bash
# The service makes the frames of streams of Sampled Values: from a full second on each arrives, once
# and in its order, with the smpCnt and the sample that it is to have; a segment begins exactly where
# it is to begin.
# shellcheck disable=SC2086,SC2154 # work: of lib.sh; others are numbers
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"
. "$(dirname "$0")/streams-lib.sh"

serve

# told KEY: of what `told` printed last
told() {
    tail -n 1 $work/told | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# Here every frame is sent, however late: what comes is known, whatever else the machine does.
fields='{"interface": "r0", "sources": ["any"], "ethertypes": ["sv"], "template": true, "late": 0,
    "rate": 4000}'

watch
stream member "$fields" >$work/told <<EOT
template 4000 asdus=2 refr_tm=1
samples 0 80 0
samples 80 40 1000
samples 200 800 2000
play 0 0 80 0 0
play 5000 80 40 3 0
play behind 200 800 1 2
play 6000 0 80 10 1
play behind 0 80 0 0
stop 7001
until played 5
told
EOT
unwatch
start=$(told started)
equal "it begins with a full second" 000000000 "${start: -9}"
python3 "$tests/streams.py" check $work/seen 0x4000 4000 2 "$start" 0:5000:0:80:1 \
    5000:5120:1000:40:1 5120:5920:2000:800:2 6800:7002:0:80:1
equal "frames that were not to be sent" 400 "$(told dropped)"
equal "frames that were sent" $((5920 / 2 + 400 + 101)) "$(told sent)"
equal "a stop is no lack" 0 "$(told starved)"
equal "what was refused" "{}" "$(told refused)"

# As another program reads them.
if command -v tshark >/dev/null; then
    tshark -r $work/seen -Y 'sv.appid == 0x4000' -T fields -E occurrence=a -e sv.svID -e sv.smpCnt \
        -e sv.smpSynch 2>/dev/null >$work/shark
    equal "as tshark has the first second" "$(
        for ((sample = 0; sample < 4000; sample += 2)); do
            printf 'MU01,MU01\t%d,%d\t2,2\n' $sample $((sample + 1))
        done | sha256sum
    )" "$(head -2000 $work/shark | sha256sum)"
fi
