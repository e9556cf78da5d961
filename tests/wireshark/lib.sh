# shellcheck shell=bash
# shellcheck disable=SC2034 # scripts use what is set here
#
# Capture files and Wireshark's programs: bash, sourced first.
set -euo pipefail

build=${NB_BUILD:?"the build folder"}
tool=$build/tests/wireshark/capture-files-tool
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No settings of the user's, and none of root's warnings.
export HOME=$work WIRESHARK_CONFIG_DIR=$work/wireshark TZ=UTC

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# equal WHAT EXPECTED IS
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"
}

for program in tshark capinfos editcap mergecap text2pcap; do
    command -v $program >/dev/null || {
        echo "skipped: no $program; Debian's package tshark has it"
        exit 77
    }
done

# quietly PROGRAM ARGUMENT...: its output; whatever it complains of is a failure. Tshark tells root
# that it is root.
quietly() {
    local status=0

    "$@" 2>"$work/err" || status=$?
    sed -i '/^Running as user "root"/d' "$work/err"
    if [ $status != 0 ] || [ -s "$work/err" ]; then
        fail "$*: status $status, $(cat "$work/err")"
    fi
}
