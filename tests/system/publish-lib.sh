# shellcheck shell=bash
# What the tests of publishers share: what they send is seen at the other end, by our subscriber, by
# tshark, and by a peer that shares nothing with ours. Sourced behind send-lib.sh.
# shellcheck disable=SC2154,SC2086 # work, tests: of lib.sh

how=()
# seen NAME COUNT KIND COMMAND...: sv subscribe or goose subscribe follows p1 for so many frames, to
# the file NAME, while the command runs.
seen() {
    local subscriber

    as operator $work/build/client/netbroker "$3" subscribe p1 --direction in --json \
        --interval cycle -c "$2" "${how[@]}" >$work/files/"$1" 2>$work/files/"$1".err &
    subscriber=$!
    within 10 "it is seen" open_are CAPTURE 1
    "${@:4}"
    wait $subscriber || fail "the subscriber: $(cat $work/files/"$1".err)"
    within 10 "it is seen no more" open_are CAPTURE 0
}

publish_py() {
    python3 "$tests/publish.py" "$@"
}

# fields NAME FIELD...: of the frames in a capture, by tshark, each set of values once.
fields() {
    tshark -r $work/files/"$1" -o sv.decode_data_as_phsmeas:TRUE -T fields -E separator=' ' \
        "${@:2}" 2>/dev/null | sort -u
}

# peer VERB NAME...: by a subscriber that shares nothing with ours, which refuses what keeps to no
# rule.
peer() {
    python3 "$tests/iec61850.py" "$1" $work/files/"$2" "${@:3}" || fail "the peer's $2"
}

not_malformed() {
    peer show "$1" >$work/files/"$1".json
    equal "malformed frames of $1" "" "$(tshark -r $work/files/"$1" \
        -o sv.decode_data_as_phsmeas:TRUE -Y '_ws.malformed || _ws.expert' 2>/dev/null)"
}

sv() {
    sends 0 operator sv publish p0 --late 0 --json "$@"
}
