#!/bin/bash
# Broker, keeper and clients are killed and stopped at random: each frame on the wire is whole, one that
# was put, and there once; captures go on, and nothing is left. NB_KILLS says for how many seconds,
# NB_SEED repeats what was drawn once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/send-lib.sh"

seed=${NB_SEED:-$((RANDOM * 32768 + RANDOM))}

serve
echo "NB_SEED=$seed"
python3 $work/build/frame_kills.py run "$seed" "${NB_KILLS:-6}" || fail "with NB_SEED=$seed"
nothing_is_left
restarts_expected=$(status_of broker_restarts)
