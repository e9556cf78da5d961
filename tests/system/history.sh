#!/bin/bash
# A random history of requests by five users: the service and the kernel have what a model has. Then
# with kill -9 of the broker again and again: what was acknowledged is there with its holder, what
# sessions held is gone, and what was under way was done or not, but never half. With and without a
# state file, and with requests under way.
if [ $# = 0 ] && [ -z "${NB_INSIDE:-}" ]; then
    jobs=()
    for variant in ${NB_VARIANTS:-quiet plain state flight}; do
        bash "$0" "$variant" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || status=$?
    done
    exit "${status:-0}"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

options=()
kills=$((requests / 9))
case $1 in
quiet) kills=0 ;;
state) options=(--state "$work/state/routes") ;;
flight) flights=(--flights 12) ;;
esac
start_history "${options[@]}"
history run --kills $kills "${flights[@]}"
[ "$1" != state ] || check_full_restart
count_restarts
