#!/bin/bash
# A replay keeps to the times of its file: the gaps at the other end are those of the file, at any
# speed, and do not drift. What was not sent in time is told, and why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"

serve
gaps=$work/files/gaps
replay_py make "$gaps" gaps

# agrees WHAT DRIFT ERROR: both are small, in microseconds, as far as a busy machine lets them be.
agrees() {
    at_most "the drift of $1, in us" 50000 "${2#-}"
    at_most "the error of $1, in us" 50000 "$3"
}

# The member's grant is narrow, and the file within it.
received real 300 sends 0 member replay p0 "$gaps" --late 0 --json
# shellcheck disable=SC2046 # two words
agrees "the file" $(replay_py gaps "$gaps" $work/files/real)
equal "frames" "300 300" "$(report frames) $(report sent)"
equal "asked time" 0.968889 "$(report asked_duration)"
python3 -c "import sys; sys.exit(not 0.95 < $(report duration) / 0.968889 < 2)" ||
    fail "it took $(report duration) seconds"
equal "the bytes are those of the file" 300 "$(replay_py same "$gaps" $work/files/real)"

received fast 600 sends 0 member replay p0 "$gaps" --speed 2 --loop 2 --catch-up --json
# shellcheck disable=SC2046
agrees "two passes of double speed" $(replay_py gaps "$gaps" $work/files/fast 2 2)
received rate 500 sends 0 member replay p0 "$gaps" --pps 1000 --loop 0 --limit 500 --catch-up
# shellcheck disable=SC2046
agrees "a thousand a second" $(replay_py rate $work/files/rate 1000)
received interval 5 sends 0 operator send p0 --hex "ffffffffffff 020000000001 88b5 01" -c 5 \
    --interval 0.05 --late 0
# shellcheck disable=SC2046
agrees "twenty a second" $(replay_py rate $work/files/interval 20)
received top 3000 sends 0 member replay p0 "$gaps" --topspeed --loop 10
contains "the report" "3000 of 3000 frames sent" "$(cat $work/files/out)"

# A pace beyond the rate that was granted is refused before a frame leaves.
sends 1 member replay p0 "$gaps" --pps 1000.5 --rate 1000 --late 0
contains "too fast" "--rate 1001" "$(cat $work/files/err)"
equal "nothing was sent" "" "$(cat $work/files/out)"
received rated 300 sends 0 member replay p0 "$gaps" --pps 1000 --rate 1000 --late 0

# What comes as a stream, at its pace, needs a delay; without one it is late by the file, and that
# is told. What comes in one piece after a pause would catch up, and is left out.
# It begins when the ring is open, so that on a busy machine not all of it is there before.
# slowly FILE SECOND_PAUSE OTHER_PAUSES
slowly() {
    within 10 "it can be sent" open_are INJECT 1
    python3 -c '
import sys, time
data = open(sys.argv[1], "rb").read()
for at in [0] + list(range(24, len(data), 76)):
    sys.stdout.buffer.write(data[at:at + (76 if at else 24)])
    sys.stdout.flush()
    time.sleep(float(sys.argv[2 if at == 24 else 3]))' "$@"
}
head -c $((24 + 20 * 76)) "$gaps" >$work/files/short
slow() {
    sends "$1" member replay p0 - --ethertypes 0x88b5 --vlans none \
        --destinations 01:0c:cd:04:00:01 --json "${@:2}"
}
nothing_is_left
slowly $work/files/short 0.01 0.01 | slow 0 --delay 2 --late 400000
equal "nothing is starved" 0 "$(report starved)"
nothing_is_left
slowly $work/files/short 0.01 0.01 | slow 0 --late 0
[ "$(report starved)" -gt 5 ] || fail "only $(report starved) are starved"
nothing_is_left
slowly $work/files/short 0.5 0 | slow 1
[ "$(report starved)" -gt 5 ] || fail "only $(report starved) are starved"
equal "each frame is in one number" 20 $(($(report sent) + $(report refused.late)))
equal "the explanation" 1 "$(grep -c "With --late 0" $work/files/err)"

# Files that have no pace.
replay_py make $work/files/one one
sends 1 member replay p0 $work/files/one --loop 2
contains "one frame has no gaps" "--pps says how many" "$(cat $work/files/err)"
sends 0 member replay p0 $work/files/one --late 0
echo "010ccd040001 020000000001 88b5 01" >$work/files/text
sends 1 member replay p0 $work/files/text
contains "text has no times" "frame 1 has no time: --pps" "$(cat $work/files/err)"
sends 0 member replay p0 $work/files/text --pps 10 --late 0
for wrong in "--speed 0" "--speed x" "--speed 1 --pps 5" "--topspeed --delay 1" "--loop -1"; do
    # shellcheck disable=SC2086 # words
    sends 2 member replay p0 "$gaps" $wrong
done
nothing_is_left
