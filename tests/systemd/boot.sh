#!/bin/bash
# A real systemd with the installed service: boot-inside.sh does the tests in a container.
. "$(dirname "$0")/lib.sh"

install_into() {
    DESTDIR=$1 cmake --install "$build" --prefix /usr
}

boot_test "$tests/boot-inside.sh" "$@"
