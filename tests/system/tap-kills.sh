#!/bin/bash
# Broker, keeper and clients are killed at random, and a bridge is made anew: taps stay or go as their
# leases say, ports are its ports again, and no frame of a tap is lost. NB_KILLS says for how many
# seconds, NB_SEED repeats what was drawn once.
. "$(dirname "$0")/lib.sh"
spares=2
. "$(dirname "$0")/tap-lib.sh"

seed=${NB_SEED:-$((RANDOM * 32768 + RANDOM))}

sed -i 's,192.168.7.0/24,192.168.0.0/16,' $work/netbrokerd.conf
printf '%s\n' "[allow taps]" "everyone = yes" "verbs = tap.*" >$work/policy.conf
echo "0 4294967294" >/proc/sys/net/ipv4/ping_group_range
serve
echo "NB_SEED=$seed"
python3 $work/build/tap_kills.py run "$seed" "${NB_KILLS:-6}" "$daemon" || fail "with NB_SEED=$seed"
restarts_expected=$(status_of broker_restarts)
