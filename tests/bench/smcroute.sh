# shellcheck shell=bash
# Debian's smcroute beside the service; what is not here of it stays out of the measurements.
# shellcheck disable=SC2154 # work: of tests/system/lib.sh

# Before the namespaces are entered: as root, and where it is not installed, fetches the package and
# unpacks it. Nothing is installed, and no service started.
fetch_smcroute() {
    if command -v smcrouted >/dev/null; then
        SMCROUTE=$(dirname "$(command -v smcrouted)")
    elif [ "$(id -u)" = 0 ]; then
        SMCROUTE_FETCHED=$(mktemp -d)
        (cd "$SMCROUTE_FETCHED" && download && dpkg-deb --extract smcroute_*.deb .) \
            >/dev/null 2>&1 || true
        SMCROUTE=$SMCROUTE_FETCHED/usr/sbin
    fi
    export SMCROUTE SMCROUTE_FETCHED
}

download() {
    apt-get download smcroute || (apt-get update && apt-get download smcroute)
}

# Within them: the programs go to the test's own folder.
take_smcroute() {
    mkdir "$work/smcroute"
    cp "${SMCROUTE:-}"/smcroute{d,ctl} "$work/smcroute" 2>/dev/null || true
    rm -rf "${SMCROUTE_FETCHED:-}"
    SMCROUTE=$work/smcroute
}

have_peer() {
    [ -x "$SMCROUTE/smcrouted" ]
}

# Its command, but for the file of its configuration.
peer_command() {
    smcrouted=("$SMCROUTE/smcrouted" -n -N -l err -u "$work/peer.sock" -P "$work/peer.pid" -f)
}

run_peer() {
    peer_command
    "${smcrouted[@]}" "$1" >/dev/null 2>&1 &
    peer=$!
}

# peer FILE ROUTES: starts smcrouted, which is $peer, and waits until the kernel has the routes.
peer() {
    run_peer "$1"
    within 60 "smcroute has its routes" is_fed "$2"
    within 10 "smcroute answers" peer_ctl show
}

peer_ctl() {
    "$SMCROUTE/smcroutectl" -u "$work/peer.sock" "$@" 2>/dev/null # it asks the terminal there
}

stop_peer() {
    end_process "$peer"
    wait "$peer" 2>/dev/null || true
}

# signal_peer SIGNAL FILE
signal_peer() {
    kill "-$1" "$peer"
    wait "$peer" 2>/dev/null || true
    run_peer "$2"
}

peer_reload() {
    kill -HUP "$peer"
    sleep 0.01 # so that the signal is before the question
    timeout 120 "$SMCROUTE/smcroutectl" -u "$work/peer.sock" show
}
