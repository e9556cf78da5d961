#!/bin/bash
# What `cmake --install` leaves: every file in its place, nothing that points back to the build, a
# library that exports nb_* and nothing else, and programs outside that build against it by
# pkg-config and by CMake's find_package, and talk to the installed service.
#
# check_files and check_paths look at an installation with a prefix of its own, check_usr at one
# that was configured for /usr.
set -euo pipefail

build=${NB_BUILD:?the build folder}
tests=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
prefix=$work/prefix
library=$prefix/${NB_LIBDIR:?}
trap 'end $?' EXIT

end() {
    trap - EXIT
    rm -rf "$work"
    exit "$1"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

check_files() {
    local file missing=0

    for file in sbin/netbrokerd bin/netbroker include/netbroker.h \
        libexec/netbroker/netbroker-bridge-helper "$NB_LIBDIR"/wireshark/extcap/netbroker-extcap \
        "$NB_LIBDIR"/{libnetbroker.so,libnetbroker.so.0,"libnetbroker.so.${NB_VERSION:?}"} \
        "$NB_LIBDIR"/pkgconfig/libnetbroker.pc \
        "$NB_LIBDIR"/cmake/netbroker/netbroker-config{,-version}.cmake \
        share/man/man{8/netbrokerd.8,1/netbroker{,-bridge-helper,-extcap}.1,5/netbrokerd.conf.5} \
        share/man/man{3/libnetbroker.3,7/netbroker-protocol.7} \
        share/bash-completion/completions/netbroker share/zsh/site-functions/_netbroker \
        lib/systemd/system/netbrokerd.service lib/systemd/system/netbrokerd.socket \
        lib/sysusers.d/netbroker.conf lib/tmpfiles.d/netbroker.conf \
        lib/udev/rules.d/60-netbroker.rules etc/netbroker/netbrokerd.conf \
        etc/netbroker/policy.conf; do
        if [ ! -s "$prefix/$file" ]; then
            echo "missing: $file"
            missing=1
        fi
    done
    [ $missing = 0 ] || fail "the installation is not complete"
}

# An installed file may name its own place, but neither the build's nor the source's.
check_paths() {
    local found

    found=$(grep --recursive --files-with-matches --binary-files=without-match \
        -e "$build" -e "${NB_SOURCE:?}" "$prefix" || true)
    [ -z "$found" ] || fail "these files name the place of the build: $found"
    found=$(readelf --dynamic "$prefix"/{sbin/netbrokerd,bin/netbroker} "$library/libnetbroker.so" |
        grep -E 'R(UN)?PATH' || true)
    [ -z "$found" ] || fail "a library path is built in: $found"
}

# Programs can be loaded at any address.
check_programs() {
    local program

    for program in sbin/netbrokerd bin/netbroker libexec/netbroker/netbroker-bridge-helper \
        "$NB_LIBDIR"/wireshark/extcap/netbroker-extcap; do
        readelf --file-header "$prefix/$program" | grep -q 'Type: *DYN ' ||
            fail "$program is not position-independent"
    done
}

check_symbols() {
    local others

    others=$(nm --dynamic --defined-only "$library/libnetbroker.so" | awk '{ print $3 }' |
        grep -v '^nb_' || true)
    [ -z "$others" ] || fail "the library exports: $others"
    nm --dynamic --defined-only "$library/libnetbroker.so" | grep -q ' T nb_connect$' ||
        fail "the library does not export nb_connect"
}

# An administrator's configuration file outlives the next installation.
check_configuration() {
    echo "# changed" >>"$prefix/etc/netbroker/netbrokerd.conf"
    cmake --install "$build" --prefix "$prefix" >/dev/null
    grep -q "# changed" "$prefix/etc/netbroker/netbrokerd.conf" ||
        fail "a changed configuration file was replaced"
    grep -q -- "--config $prefix/etc/netbroker/netbrokerd.conf" \
        "$prefix/lib/systemd/system/netbrokerd.service" ||
        fail "the service does not read the configuration file that was installed with it"
}

build_by_pkg_config() {
    export PKG_CONFIG_PATH=$library/pkgconfig
    local flags

    [ "$(pkg-config --modversion libnetbroker)" = "$NB_VERSION" ] || fail "pkg-config's version"
    read -ra flags <<<"$(pkg-config --cflags --libs libnetbroker)"
    "${CC:-cc}" -Wall -Wextra -Werror -std=c99 -pedantic -o "$work/by-pkg-config" \
        "$tests/program/program.c" "${flags[@]}"
    if command -v c++ >/dev/null; then
        c++ -Wall -Wextra -Werror -pedantic -fsyntax-only -x c++ "$prefix/include/netbroker.h" \
            2>"$work/c++.log" || fail "the header is no C++: $(cat "$work/c++.log")"
    fi
}

# configure SOURCE FOLDER CMAKE_OPTION...: with the tools of the build, which may be all there are
configure() {
    cmake -S "$1" -B "$2" -G "${NB_GENERATOR:?}" -DCMAKE_MAKE_PROGRAM="${NB_MAKE:?}" \
        -DCMAKE_C_COMPILER="${CC:-cc}" "${@:3}" >"$work/cmake.log" 2>&1 ||
        fail "$(cat "$work/cmake.log")"
}

build_by_cmake() {
    configure "$tests/program" "$work/by-cmake" -DCMAKE_PREFIX_PATH="$prefix"
    cmake --build "$work/by-cmake" >"$work/cmake.log" 2>&1 || fail "$(cat "$work/cmake.log")"
}

# Configured with the prefix /usr, the files lie where the distribution has its own: the library
# beside libuv. What was built already is taken; only where it goes is in question. And a builder's
# level of _FORTIFY_SOURCE stays.
check_usr() {
    local folder=$work/usr root=$work/root libraries units file missing=0

    configure "$NB_SOURCE" "$folder" -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF \
        -DCMAKE_C_FLAGS="-O2 -D_FORTIFY_SOURCE=3"
    grep -q _FORTIFY_SOURCE=3 "$folder/compile_commands.json" || fail "CMAKE_C_FLAGS are not used"
    ! grep -q _FORTIFY_SOURCE=2 "$folder/compile_commands.json" ||
        fail "a builder's _FORTIFY_SOURCE=3 becomes 2"
    cp -a "$build"/client/{libnetbroker.so*,netbroker,netbroker-bridge-helper,netbroker-extcap} "$folder/client"
    for file in client systemd; do
        DESTDIR=$root cmake --install "$folder/$file" >/dev/null
    done
    libraries=$(realpath -m "$(pkg-config --variable=libdir libuv)")
    units=$(pkg-config --variable=systemdsystemunitdir systemd) || units=/usr/lib/systemd/system
    for file in usr/bin/netbroker usr/include/netbroker.h "$libraries"/libnetbroker.so{,.0} \
        "$libraries"/wireshark/extcap/netbroker-extcap "$libraries/pkgconfig/libnetbroker.pc" "$libraries/cmake/netbroker/netbroker-config.cmake" \
        "$units"/netbrokerd.{service,socket} usr/lib/sysusers.d/netbroker.conf \
        usr/lib/tmpfiles.d/netbroker.conf usr/lib/udev/rules.d/60-netbroker.rules etc/netbroker/{netbrokerd,policy}.conf; do
        if [ ! -s "$root/$file" ]; then
            echo "missing: $file"
            missing=1
        fi
    done
    [ $missing = 0 ] || fail "with the prefix /usr: $(cd "$root" && find . -type f)"
    ! grep -q -- --config "$root/$units/netbrokerd.service" ||
        fail "with the prefix /usr the service needs no --config"
}

# Ends with what the programs say to the installed service.
talk() {
    local daemon i program answer status=0

    "$prefix/sbin/netbrokerd" --foreground --user nobody --socket "$NETBROKER_SOCKET" \
        --config "$work/empty.conf" 2>"$work/daemon.log" &
    daemon=$!
    for ((i = 0; i < 500; i++)); do
        ! "$prefix/bin/netbroker" ping >/dev/null 2>&1 || break
        sleep 0.02
    done
    for program in by-pkg-config by-cmake/program; do
        answer=$(LD_LIBRARY_PATH=$library "$work/$program") || status=$?
        [ "$answer" = pong ] || status=1
        echo "$program: the service answered '$answer'"
    done
    kill -TERM $daemon
    wait $daemon || status=1
    return $status
}

# In a network namespace, so that no other owner of the kernel's table is in the way; the programs are
# there as well, because the service knows who is elsewhere.
check_service() {
    local flags=(--net)

    [ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
    if ! unshare "${flags[@]}" true 2>/dev/null; then
        echo "skipped: namespaces cannot be made here"
        exit 77
    fi
    (umask 022 && : >"$work/empty.conf")
    export prefix work library NETBROKER_SOCKET=$work/socket
    export -f talk
    unshare "${flags[@]}" bash -c talk >"$work/talk" ||
        fail "the installed service: $(cat "$work/talk" "$work/daemon.log")"
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log"
check_files
check_paths
check_programs
check_symbols
check_configuration
build_by_pkg_config
build_by_cmake
check_usr
check_service
echo "installed, built against and running: $(find "$prefix" -type f | wc -l) files"
