#!/bin/bash
# The units as `cmake --install` writes them: nothing in them that systemd does not understand, no
# program or manual page that is not there, and an exposure of 2.3 at most. They never give up, and
# tell a newer systemd more than an older one understands.
set -euo pipefail

build=${NB_BUILD:?the build folder}
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
# Without packet sockets it would be 0.2 less, and 0.3 less without real-time priorities: both are what
# captures and frames that are sent at their time need. What is left open beside them has a reason in
# the unit.
limit=2.3

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

# fails WHAT
fails() {
    echo "FAILED: $*"
    exit 1
}

# unit_for VERSION: prints the unit that is written for this version of systemd.
unit_for() {
    local script=$prefix/install-service.cmake

    sed -e "s/if(\"[^\"]*\" VERSION_GREATER_EQUAL 254)/if(\"$1\" VERSION_GREATER_EQUAL 254)/" \
        "$build/systemd/install-service.cmake" >"$script"
    cmake -DCMAKE_INSTALL_PREFIX="$prefix/for-$1" -P "$script" >/dev/null
    cat "$prefix/for-$1/lib/systemd/system/netbrokerd.service"
}

for line in FileDescriptorStorePreserve=restart RestartSteps=8 RestartMaxDelaySec=15s; do
    ! unit_for 252.39 | grep -qx "$line" || fails "$line is in the unit for systemd 252"
    unit_for 257.8 | grep -qx "$line" || fails "$line is not in the unit for systemd 257"
done
unit_for 252 | grep -qx StartLimitIntervalSec=0 || fails "the unit gives up after some starts"
! unit_for 252 | grep -q ^RestartPreventExitStatus || fails "the unit gives up after a status"

# The files that are checked before a reload are those of the service, and they are there.
options=$(sed -n 's/^ExecReload=.*--check-config//p' "$units/netbrokerd.service")
grep -qF -- "--foreground$options " "$units/netbrokerd.service" ||
    fails "ExecStart= and the check of ExecReload= name other files"
for file in $options; do
    [[ $file == --* || -e $file ]] || fails "the unit names $file, which is not installed"
done
echo "for systemd 252 and 257: as they should be"
