# shellcheck shell=bash
# What the doctor is asked and says, for the tests of it; sourced behind lib.sh.

# Milliseconds that a flow is watched for; most causes need no packets.
observe=0

# examine OPTION...: the doctor's reply as JSON, into $reply. The exit status is 1 where there is a
# problem, and 0 where there is none.
examine() {
    local status=0 problems

    reply=$(nb --json doctor --observe $observe "$@") || status=$?
    problems=$(grep -c '"verdict":"problem"' <<<"$reply") || true
    equal "the exit status of 'doctor $*' ($reply)" $((problems > 0)) $status
}

# spoken OPTION...: the doctor's words for people.
spoken() {
    nb doctor --observe $observe "$@" || [ $? = 1 ]
}

# finds CHECK VERDICT OPTION...: the doctor has a finding of this check and verdict.
finds() {
    examine "${@:3}"
    python3 -c 'import json, sys
findings = json.loads(sys.argv[3])["findings"]
sys.exit(not any((f["check"], f["verdict"]) == (sys.argv[1], sys.argv[2]) for f in findings))' \
        "$1" "$2" "$reply" || fail "no $2 of $1 for '${*:3}' in $reply"
}

# blames CHECK OPTION...: the problems that the doctor finds are of this check, and of no other.
blames() {
    examine "${@:2}"
    equal "the problems for '${*:2}' ($reply)" "$1" "$(python3 -c 'import json, sys
findings = json.loads(sys.argv[1])["findings"]
print(*sorted({f["check"] for f in findings if f["verdict"] == "problem"}))' "$reply")"
}

# says TEXT OPTION...: some finding, its hint or the summary holds the text.
says() {
    contains "the doctor's words on '${*:2}'" "$1" "$(spoken "${@:2}")"
}

# healthy OPTION...: neither a problem nor a warning.
healthy() {
    local seen

    seen=$(spoken "$@")
    ! grep -E '^(problem|warning)' <<<"$seen" || fail "'$*' should be healthy: $seen"
    contains "the summary of '$*'" "Nothing was found" "$seen"
}

# silent TEXT OPTION...: no finding, hint or summary holds the text.
silent() {
    local seen

    seen=$(spoken "${@:2}")
    [[ $seen != *"$1"* ]] || fail "the doctor should not say '$1' on '${*:2}': $seen"
}
