# shellcheck shell=bash
# Links between taps of the test's own and programs of link_peer.py; sourced behind lib.sh.
# Set without_tun where no tap is made.
# shellcheck disable=SC2154 # tests, build, work: of lib.sh
[ -n "${without_tun:-}" ] || need_tun

peer=$tests/link_peer.py
declare -A servers
serve_in=() # a command that leads to where the tap is to be

# serve NAME TAP ADDRESS OPTION...: a link; returns when it says that it is ready.
serve() {
    local tap=tap

    [[ " $* " != *" --offload "* ]] || tap=offload_tap
    rm -f "$work/$1.out" # of another one of this name, whose word would be taken for this one's
    "${serve_in[@]}" python3 "$peer" $tap "$2" "$3" -- "$build/client/netbroker" --json link serve --tap-fd '{fd}' \
        "${@:4}" >"$work/$1.out" 2>"$work/$1.err" &
    servers[$1]=$!
    within 10 "the link $1" ready_or_ended "$1"
    grep -q '"event":"ready"' "$work/$1.out" || fail "the link $1: $(cat "$work/$1.err")"
}

ready_or_ended() {
    [ ! -e "/proc/${servers[$1]}" ] || grep -q '"event":"ready"' "$work/$1.out"
}

# ended NAME STATUS: it has ended with this exit status.
ended() {
    local status=0

    within 10 "the end of $1" test ! -e "/proc/${servers[$1]}/fd/0"
    wait "${servers[$1]}" || status=$?
    [ $status = "$2" ] || fail "exit status of the link $1: $status and not $2: $(cat "$work/$1.err")"
}

stop() {
    kill -TERM "${servers[$1]}"
    ended "$1" 0
}

mac_is() {
    ip -o link show nb-a | grep -o 'link/ether [^ ]*' | cut -d ' ' -f 2
}
