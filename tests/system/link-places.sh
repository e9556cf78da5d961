#!/bin/bash
# The places of a link have each a framing, and what else is said of them alone.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/link-lib.sh"

# --- Beside a tap, in and out -------------------------------------------------------------------

serve mixed nb-a 10.9.0.1/24 --framing u16be --listen $work/a --listen $work/b,framing=message \
    --connect $work/out,framing=u32be
equal "what the command says for all" "$(mac_is)" "$(python3 "$peer" arp u16be $work/a 10.9.0.1)"
equal "messages at a place" "$(mac_is)" "$(python3 "$peer" arp message $work/b 10.9.0.1)"
equal "one who listens" "answered 2" "$(python3 "$peer" serve u32be $work/out 10.9.0.1 2)"
stop mixed

# --- Mistakes -----------------------------------------------------------------------------------

mistaken() {
    local status=0

    "$build/client/netbroker" link serve "${@:2}" 2>$work/err || status=$?
    equal "exit status of $1" 2 $status
    contains "what is said" "$1" "$(cat $work/err)"
    [ ! -e $work/s ] || fail "a socket was made"
}
mistaken "'frame' is no option of it" --no-tap --listen $work/s --listen $work/t,frame=u16le
mistaken "a comma of a path is written ',,'" --no-tap --listen $work/s,t
mistaken "'mode' is for --listen" --no-tap --listen $work/s --connect $work/t,mode=0600
mistaken "--hosts is of a tap that the service makes, and with --no-tap it makes none" \
    --no-tap --hosts 10.9.0.1/24 --listen $work/s
mistaken "with --tap-fd it makes none; write --tap-mtu" --tap-fd 3 --mtu 1400 --listen $work/s
mistaken "NAME is of a tap" --nat nb-a --listen $work/s
