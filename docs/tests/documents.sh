#!/bin/bash
# The README is short, no link in it or in docs/ is dead, and the commands that they show print what
# they say: for root, and for a user who is not root.
set -eu
source=${NB_SOURCE:?}
build=${NB_BUILD:?}
cd "$source"

lines=$(wc -l <README.md)
if [ "$lines" -gt 120 ]; then
    echo "README.md has $lines lines; 120 is the limit"
    exit 1
fi

# Links to files, with the document's folder before them.
dead=0
for document in README.md docs/*.md; do
    links=$(grep -oP '\]\(\K[^)#]+' "$document" | grep -v '^[a-z]*:') || continue
    for link in $links; do
        if [ ! -e "$(dirname "$document")/$link" ]; then
            echo "$document: nothing is at $link"
            dead=1
        fi
    done
done
# What the developers' document names.
# shellcheck disable=SC2016 # these are Markdown's quotes
named=$(grep -oP '`\K(daemon|libproto|client|tests)/[a-z_./]*(?=`)' docs/architecture.md)
for path in $named; do
    if [ ! -e "$path" ]; then
        echo "docs/architecture.md: there is no $path"
        dead=1
    fi
done
[ $dead = 0 ] || exit 1

# The settings of [service], which netbrokerd.conf(5) tells of before the limits.
sed -n '/^\.Ss Limits/q; s/^\.It Cm \([a-z-]*\) No = .*/\1/p' docs/man/netbrokerd.conf.5 |
    while read -r setting; do
        grep -q "^#\{0,1\}$setting =" systemd/netbrokerd.conf || {
            echo "systemd/netbrokerd.conf does not show $setting"
            exit 1
        }
    done

for program in ping python3 tshark; do
    if ! command -v $program >/dev/null; then
        echo "skipped: no $program"
        exit 77
    fi
done
if ! unshare --user --map-root-user --net true 2>/dev/null; then
    echo "skipped: namespaces cannot be made here"
    exit 77
fi

# Settings and rules that they show are right. Their groups need not be here, and who runs this is
# root in a namespace, because rules must belong to root.
shown=$(mktemp -d)
trap 'rm -rf "$shown"' EXIT
cat README.md docs/*.md | awk -v folder="$shown" '
    /^```/ { file = "" }
    last == "```" && /^\[service\]$/ { file = folder "/" ++count ".config" }
    last == "```" && /^\[(allow|deny) / { file = folder "/" ++count ".policy" }
    file { sub(/^group = .*/, "everyone = yes"); print >file }
    { last = $0 }'
for file in "$shown"/*.*; do
    unshare --user --map-root-user "$build/daemon/netbrokerd" --check-config "--${file##*.}" "$file" >"$shown/said" 2>&1 || {
        echo "what a document shows is wrong: $(cat "$file" "$shown/said")"
        exit 1
    }
done
rm -rf "$shown"

# The device of taps, as udev(7) makes it: everybody may open it. A bare devtmpfs leaves it to root.
tun_is_open() {
    [ "$(stat -c %a /dev/net/tun 2>/dev/null)" = 666 ]
}

open_tun() {
    local folder

    folder=$(mktemp -d)
    mount -t tmpfs tmpfs "$folder" && mknod -m 666 "$folder/tun" c 10 200 &&
        mount --bind "$folder/tun" /dev/net/tun
    umount --lazy "$folder"
    rmdir "$folder"
}

if ! tun_is_open && [ -e /dev/net/tun ] && [ "$(id -u)" = 0 ]; then
    [ -n "${NB_INSIDE:-}" ] || NB_INSIDE=1 exec unshare --mount bash "$0"
    open_tun
fi
if ! tun_is_open; then
    echo "skipped: /dev/net/tun is missing, or for root alone"
    exit 77
fi

# A process that hides itself from debuggers cannot look for its own leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
python3 docs/tests/transcript.py "$build" README.md docs/tour.md docs/capture.md \
    docs/sampled-values.md

# The other user can read this folder, whatever the build's is.
if [ "$(id -u)" = 0 ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/client" "$folder/daemon"
    cp "$build/client/netbroker" "$folder/client"
    cp "$build/daemon/netbrokerd" "$folder/daemon"
    cp README.md docs/tour.md docs/capture.md docs/sampled-values.md docs/tests/transcript.py \
        "$folder"
    chmod -R a+rX "$folder"
    cd "$folder"
    setpriv --reuid nobody --regid nogroup --clear-groups \
        python3 transcript.py . README.md tour.md capture.md sampled-values.md
fi
