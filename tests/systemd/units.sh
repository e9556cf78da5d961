#!/bin/bash
# The units as `cmake --install` writes them: nothing in them that systemd does not understand, no
# program or manual page that is not there, and an exposure of 2.0 at most.
set -euo pipefail

build=${NB_BUILD:?the build folder}
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
limit=2.0

command -v systemd-analyze >/dev/null || {
    echo "skipped: needs systemd-analyze (package systemd)"
    exit 77
}
cmake --install "$build" --prefix "$prefix" >"$prefix/install.log"
units=$prefix/lib/systemd/system

man=yes
command -v man >/dev/null || man=no
export MANPATH=$prefix/share/man
said=$(systemd-analyze verify --man=$man "$units/netbrokerd.service" "$units/netbrokerd.socket" 2>&1) ||
    said="${said:-no word, but it failed}"
if [ -n "$said" ]; then
    echo "FAILED: systemd-analyze verify says:"
    echo "$said"
    exit 1
fi
echo "systemd-analyze verify: clean"

report=$(systemd-analyze security --offline=true --no-pager "$units/netbrokerd.service")
score=$(sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p' <<<"$report")
echo "exposure: ${score:-unknown} (at most $limit)"
if ! awk -v score="${score:-10}" -v limit=$limit 'BEGIN { exit !(score <= limit) }'; then
    grep ✗ <<<"$report"
    exit 1
fi
