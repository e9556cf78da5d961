#!/bin/bash
# Completion as a user meets it: what a command line becomes when Tab is pressed behind it.
set -eu
build=${NB_BUILD:?}

# shellcheck source=/dev/null
. "$build/docs/netbroker.bash"

# expect LINE CANDIDATE...: the line's words are split as bash splits them for a completion, which
# shows a candidate once.
expect() {
    local line=$1 seen

    shift
    line=${line//=/ = }
    read -ra COMP_WORDS <<<"$line"
    [[ $line != *' ' ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _netbroker
    seen=$(printf '%s\n' "${COMPREPLY[@]}" | sort -u | paste -sd ' ')
    if [ "$seen" != "$*" ]; then
        echo "FAILED: '$line' became '$seen', not '$*'"
        exit 1
    fi
}

# In a network namespace, whose interfaces are known.
if [ -z "${NB_INSIDE:-}" ]; then
    flags=(--net --mount)
    [ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
    if ! unshare "${flags[@]}" mount -t sysfs sysfs /sys 2>/dev/null; then
        echo "skipped: namespaces cannot be made here"
        exit 77
    fi
    NB_INSIDE=1 exec unshare "${flags[@]}" bash "$0"
fi
mount -t sysfs sysfs /sys
ip link add eth8 type veth peer name eth9
ip link set eth8 alias "netbroker nb-a"
ip link set eth9 alias "another's"

expect "netbroker mf" mfc
expect "netbroker he" help
expect "netbroker help mf" mfc
expect "netbroker help mfc a" add
expect "netbroker help help" ""
expect "netbroker --timeout 5 mfc a" add
expect "netbroker --timeout=5 mfc a" add
expect "netbroker mfc " add del flush import replace show
expect "netbroker mfc a" add
expect "netbroker --json mfc a" add
expect "netbroker --socket /tmp/s mfc a" add
expect "netbroker --socket=/tmp/s mfc a" add
expect "netbroker st" status
expect "netbroker ping --j" --json
expect "netbroker mfc add --" --append --dry-run --group --help --idle --iif --json --oifs --socket --source \
    --table --timeout --ttls --wait --while-connected
expect "netbroker mfc add --iif eth8 --o" --oifs
expect "netbroker mfc add --iif e" eth8 eth9
expect "netbroker mfc add --iif=e" eth8 eth9
expect "netbroker mfc add --oifs eth8,e" eth8,eth8 eth8,eth9
expect "netbroker link serve --listen /tmp/s,f" /tmp/s,flood-rate= /tmp/s,framing=
expect "netbroker link serve --connect /tmp/s,isolate,lo" /tmp/s,isolate,local=
expect "netbroker mfc show --family " ipv4 ipv6
expect "netbroker mfc show --w" --watch
expect "netbroker mfc add --dry-run --gr" --group
expect "netbroker mfc replace --" --dry-run --family --file --help --json --socket --table --timeout
expect "netbroker mfc replace -f /etc/os-relea" /etc/os-release
expect "netbroker mfc replace --file=/etc/os-relea" /etc/os-release
expect "netbroker mfc import /etc/os-relea" /etc/os-release
expect "netbroker mfc import --p" --print
expect "netbroker doctor " tap
expect "netbroker doctor tap --" --help --json --name --socket --timeout
expect "netbroker tap " close create exec list open show
expect "netbroker tap close " nb-a
expect "netbroker tap show n" nb-a
expect "netbroker doctor tap n" nb-a
expect "netbroker tap close --d" --dry-run
expect "netbroker link serve --framing u1" u16be u16le
expect "netbroker link serve --framing=me" message
expect "netbroker link serve --listen /tmp/s,framing=u3" u32be
expect "netbroker tap create nb-a --owner ro" root
expect "netbroker tap exec --b" --bridge
expect "netbroker tap exec --bridge e" eth8 eth9
expect "netbroker tapserver --use" --use-framed-protocol
expect "netbroker tapserver --listen=/etc/os-relea" /etc/os-release
expect "netbroker tapserver --group roo" root
expect "netbroker nonsense a" ""

if command -v zsh >/dev/null; then
    zsh -n "$build/docs/_netbroker"
    echo "bash completes, and zsh can read its completion"
else
    echo "bash completes; there is no zsh here"
fi
