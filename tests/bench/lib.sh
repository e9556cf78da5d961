# shellcheck shell=bash
# What the benchmarks in bash share. Beside tests/system/lib.sh, whose variables they use.
# shellcheck disable=SC2154 # build: of tests/system/lib.sh

bench() {
    "$build/tests/bench/bench-$1" "${@:2}"
}

# ticks PID...: of the processor, that these processes have used
ticks() {
    local pid sum=0 fields

    for pid in "$@"; do
        read -r -a fields < <(sed 's/.*) //' "/proc/$pid/stat")
        sum=$((sum + fields[11] + fields[12]))
    done
    echo $sum
}

seconds_of() {
    awk "BEGIN { printf \"%.2f\", $1 / $(getconf CLK_TCK) }"
}

# memory PID: bytes that no file backs
memory() {
    awk '/^RssAnon/ { print $2 * 1024 }' "/proc/$1/status"
}

# elapsed COMMAND...: milliseconds
elapsed() {
    local start=${EPOCHREALTIME/[.,]/}

    "$@" >/dev/null 2>&1
    awk "BEGIN { printf \"%.1f\\n\", (${EPOCHREALTIME/[.,]/} - $start) / 1000 }"
}

# middle COMMAND...: the median of what it prints in five turns
middle() {
    for _ in 1 2 3 4 5; do "$@"; done | sort -n | sed -n 3p
}
