#!/bin/bash
# The Debian packages, as cpack makes them of the build folder: what lintian says of them, what each
# is made of, and where its files lie. They are left in tests/systemd/packages of the build folder, for
# packages-boot.sh.
set -euo pipefail

build=${NB_BUILD:?the build folder}
source=${NB_SOURCE:?the source folder}
version=${NB_VERSION:?the version}
packages=$build/tests/systemd/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# equal WHAT EXPECTED SEEN
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', saw '$3'"
}

# field PACKAGE NAME
field() {
    dpkg-deb --field "$packages/$1"_*.deb "$2"
}

make_packages() {
    rm -rf "$packages" "$packages.new"
    # What is in a package does not depend on who makes it.
    (umask 077 && cpack --config "$build/CPackConfig.cmake" -B "$packages.new") \
        >"$work/cpack.log" 2>&1 || fail "cpack: $(cat "$work/cpack.log")"
    rm -rf "$packages.new/_CPack_Packages"
    mv "$packages.new" "$packages"
    equal "the packages" "libnetbroker-dev libnetbroker0 netbroker netbrokerd" \
        "$(find "$packages" -name "*_${version}_*.deb" -printf '%f\n' | cut -d_ -f1 | LC_ALL=C sort |
            paste -sd' ')"
}

check_lintian() {
    if ! command -v lintian >/dev/null; then
        echo "not checked by lintian, which is not installed"
        return
    fi
    lintian --allow-root --profile debian --fail-on error,warning "$packages"/*.deb ||
        fail "lintian finds errors or warnings"
    echo "lintian: clean"
}

# Nothing of what is installed is left out, and nothing is in two packages.
check_files() {
    local package libraries folder=$build

    [ ! -d "$build/package-build" ] || folder=$build/package-build
    DESTDIR=$work/all cmake --install "$folder" --prefix /usr >/dev/null
    for package in "$packages"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar --list | grep -v -e '/$' -e usr/share/doc
    done | sed 's/\.gz$//; s/vendor-completions/site-functions/' | sort >"$work/packed"
    (cd "$work/all" && find . ! -type d | sort) >"$work/installed"
    diff -u "$work/installed" "$work/packed" ||
        fail "the packages have other files than an installation (<)"
    libraries=$(cd "$work/all" && dirname "$(find . -name libnetbroker.so.0)")
    equal "the folder of libraries" "./usr/lib/${NB_LIBRARY_ARCHITECTURE:?}" "$libraries"
    equal "where Wireshark looks" "$libraries/wireshark/extcap" \
        "$(cd "$work/all" && dirname "$(find . -name netbroker-extcap)")"
}

check_fields() {
    local library

    equal "what libnetbroker-dev depends on" "libnetbroker0 (= $version)" \
        "$(field libnetbroker-dev Depends)"
    equal "Multi-Arch" "same same foreign foreign" "$(field libnetbroker0 Multi-Arch) $(field \
        libnetbroker-dev Multi-Arch) $(field netbroker Multi-Arch) $(field netbrokerd Multi-Arch)"
    for library in libc6 libcjson libseccomp libuv libcap-ng; do
        field netbrokerd Depends | grep -q "$library" || fail "netbrokerd does not depend on $library"
    done
    field netbroker Depends | grep -q libpcap || fail "netbroker does not depend on libpcap"
    ! field netbrokerd Depends | grep -q libpcap || fail "netbrokerd depends on libpcap"
    equal "conffiles" "/etc/netbroker/netbrokerd.conf /etc/netbroker/policy.conf" \
        "$(dpkg-deb --info "$packages"/netbrokerd_*.deb conffiles | paste -sd' ')"
}

check_documents() {
    equal "the latest version of docs/CHANGELOG.md" "$version" \
        "$(sed -n 's/^## \([^ ]*\) .*/\1/p' "$source/docs/CHANGELOG.md" | head -n 1)"
}

for program in dpkg-deb dpkg-shlibdeps file; do
    command -v $program >/dev/null || {
        echo "skipped: needs $program (packages dpkg-dev and file)"
        exit 77
    }
done
make_packages
check_lintian
check_files
check_fields
check_documents
echo "all passed"
