# shellcheck shell=bash
# What the tests of streams share: sourced behind inject-lib.sh.
# shellcheck disable=SC2154,SC2086 # work: of lib.sh

# stream USER FIELDS: its lines are the input
stream() {
    as "$1" python3 $work/build/streams.py run "$2"
}

# watch: what arrives, to $work/seen; until unwatch
watch() {
    rm -f $work/watching $work/seen
    mkfifo $work/watching
    inside sender python3 "$tests/streams.py" listen s0 $work/seen <$work/watching >$work/ready &
    watcher=$!
    exec 8>$work/watching
    within 10 "somebody listens" grep -q ready $work/ready
}

unwatch() {
    exec 8>&-
    wait $watcher
}

# seen APPID: how many frames of it came so far.
seen() {
    python3 "$tests/streams.py" appids $work/seen |
        python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], 0))' "$1"
}
