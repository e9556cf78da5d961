#!/bin/bash
# The packages of packages.sh in a real system: packages-inside.sh does the tests in a container. A
# next version is made of each, with other programs, another unit and other defaults.
. "$(dirname "$0")/lib.sh"

# next_version PACKAGE FOLDER
next_version() {
    local content=$2/content version=${NB_VERSION:?} file

    dpkg-deb --raw-extract "$1" "$content"
    sed -i "s/\(^Version: \|(= \)$version/\1$version+next/" "$content/DEBIAN/control"
    for file in usr/sbin/netbrokerd usr/bin/netbroker; do
        [ ! -e "$content/$file" ] || printf 'another build' >>"$content/$file"
    done
    find "$content" \( -name policy.conf -o -name netbrokerd.service \) \
        -exec sed -i '1i# the next version' {} +
    dpkg-deb --root-owner-group --build "$content" "$2" >/dev/null
    rm -r "$content"
}

install_into() {
    local package

    mkdir -p "$1"/packages/{this,next}
    for package in "$build"/tests/systemd/packages/*.deb; do
        cp "$package" "$1/packages/this"
        next_version "$package" "$1/packages/next"
    done
}

boot_test "$tests/packages-inside.sh" "$@"
