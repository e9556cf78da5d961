#!/bin/bash
# The library exports what systemd/debian/symbols lists, and nothing else. The list is what programs
# may rely on: a symbol that is missing in the library breaks those that were built before, and one
# that is missing in the list is new: add it, with the version that it comes with. No symbol leaves
# the list unless the SONAME changes.
set -euo pipefail

library=${NB_BUILD:?the build folder}/client/libnetbroker.so
list=${NB_SOURCE:?the source folder}/systemd/debian/symbols
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

soname=$(readelf --dynamic "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]$/\1/p')
[ "$soname" = "$(head -n 1 "$list" | cut -d' ' -f1)" ] ||
    fail "the list is of another SONAME than $soname"
sed -n 's/^ \(.*\)@Base .*/\1/p' "$list" >"$work/listed"
LC_ALL=C sort --check "$work/listed" || fail "the list is not in order"
nm --dynamic --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$work/exported"
diff -u "$work/listed" "$work/exported" || fail "the library exports other symbols (+) than listed (-)"
awk -v version="${NB_VERSION:?the version}" '
    function number(text, part) {
        split(text, part, ".")
        return (part[1] * 1000 + part[2]) * 1000 + part[3]
    }
    /@Base/ && number($2) > number(version) { print "of a later version: " $0; late = 1 }
    END { exit late }' "$list" || fail "the list is ahead of version $NB_VERSION"
echo "$(wc -l <"$work/listed") symbols of $soname, as listed"
