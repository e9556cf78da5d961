# shellcheck shell=bash
# What the doctor is asked and says, for the tests of it; sourced behind lib.sh.

# finds CHECK VERDICT OPTION...: the doctor has a finding of this check and verdict.
finds() {
    local seen

    seen=$(nb --json doctor "${@:3}")
    python3 -c 'import json, sys
findings = json.loads(sys.argv[3])["findings"]
sys.exit(not any((f["check"], f["verdict"]) == (sys.argv[1], sys.argv[2]) for f in findings))' \
        "$1" "$2" "$seen" || fail "no $2 of $1 for '${*:3}' in $seen"
}

# says TEXT OPTION...: some finding, its hint or the summary holds the text.
says() {
    contains "the doctor's words on '${*:2}'" "$1" "$(nb doctor "${@:2}")"
}

# healthy OPTION...: neither a problem nor a warning.
healthy() {
    local seen

    seen=$(nb doctor "$@")
    ! grep -E '^(problem|warning)' <<<"$seen" || fail "'$*' should be healthy: $seen"
    contains "the summary of '$*'" "Nothing was found" "$seen"
}

# silent TEXT OPTION...: no finding, hint or summary holds the text.
silent() {
    local seen

    seen=$(nb doctor "${@:2}")
    [[ $seen != *"$1"* ]] || fail "the doctor should not say '$1' on '${*:2}': $seen"
}
