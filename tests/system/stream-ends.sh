#!/bin/bash
# However a stream ends that the service makes - its client is killed or gives it up, its lease is
# revoked, its table runs out - nothing of it is sent from then on, and the others go on without a
# gap. A client that stalls loses only what it has not queued.
# shellcheck disable=SC2086,SC2154 # work: of lib.sh; others are numbers
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"
. "$(dirname "$0")/streams-lib.sh"

serve

# All frames are sent, however late.
fields='{"interface": "r0", "sources": ["any"], "template": true, "late": 0, "rate": 500}'
declare -A streams numbers leases

# begin NAME APPID USER FIELDS [PLAY [TEMPLATE]]: in the background, until it sends
begin() {
    rm -f $work/$1.in $work/$1.out
    mkfifo $work/$1.in
    setpriv --reuid "$3" --regid "$3" --init-groups python3 $work/build/streams.py run "$4" \
        <$work/$1.in >$work/$1.out 2>$work/$1.err &
    streams[$1]=$!
    exec {input}>$work/$1.in
    printf '%s\n' "template 500 appid=$2 ${6:-}" "samples 0 50 0" "${5:-play 0 0 50 0 0}" "until sent 20" \
        hold >&$input
    eval "input_$1=$input"
    within 20 "$1 sends: $(cat $work/$1.err)" sends "$2"
    read -r _ numbers[$1] leases[$1] <$work/$1.out
}

sends() {
    [ "$(seen "${1#0x}")" -ge 20 ]
}

# close_input NAME
close_input() {
    local name=input_$1

    eval "exec ${!name}>&-"
}

# is_silent APPID: nothing of it arrives for a fifth of a second, while others' frames do
is_silent() {
    local before others

    before=$(seen $1)
    others=$(seen 4000)
    sleep 0.2
    [ "$(seen $1)" = "$before" ] && [ "$(seen 4000)" -gt "$others" ]
}

watch
begin others 0x4000 member "$fields"

# Its client is killed.
begin one 0x4001 member "$fields"
kill -KILL "${streams[one]}"
wait "${streams[one]}" 2>/dev/null || true
close_input one
within 10 "a killed client's stream is silent" is_silent 4001
within 10 "its injector is gone" injectors_are 1

# It gives it up.
begin one 0x4002 member "$fields"
close_input one
kill -TERM "${streams[one]}" 2>/dev/null || true
wait "${streams[one]}" 2>/dev/null || true
within 10 "one that was given up is silent" is_silent 4002
within 10 "its injector is gone" injectors_are 1

# Its lease is revoked; it ends by an administrator's hand.
begin one 0x4003 member "$fields"
nb revoke "${leases[one]}" >/dev/null
wait "${streams[one]}" && fail "a revoked stream goes on"
contains "what its client learned" "ended revoked" "$(cat $work/one.err)"
close_input one
within 10 "a revoked stream is silent" is_silent 4003
begin one 0x4004 member "$fields"
nb inject close "${numbers[one]}" >/dev/null
wait "${streams[one]}" && fail "a closed stream goes on"
close_input one
within 10 "a closed stream is silent" is_silent 4004

# The interface gets another address: a template that has the one before is not right any more.
own=$(ip link show r0 | sed -n 's/.*ether \([0-9a-f:]*\).*/\1/p' | tr -d :)
begin one 0x4008 member "${fields/any/own}" "" "source=$own"
ip link set r0 address 02:00:00:00:00:77
within 10 "a stream with an address of before is silent" is_silent 4008
kill -KILL "${streams[one]}"
wait "${streams[one]}" 2>/dev/null || true
close_input one

# Its table runs out, and it says so; a stalled client's goes on as far as it is queued.
begin one 0x4006 member "$fields" "play 0 0 50 5 0"
within 10 "its table runs out" is_silent 4006
equal "all that was queued came" 250 "$(seen 4006)"
contains "the list" "smpSynch 2, 0 queued, 1 starved" "$(nb inject list)"
begin two 0x4007 member "$fields"
kill -STOP "${streams[two]}"
before=$(seen 4007)
sleep 1
[ "$(seen 4007)" -gt "$before" ] || fail "a stream without end stops with its client"
kill -KILL "${streams[one]}" "${streams[two]}"
wait "${streams[one]}" "${streams[two]}" 2>/dev/null || true
close_input one
close_input two
within 10 "the others are gone" injectors_are 1

# None of this has cost the others a frame.
close_input others
kill -KILL "${streams[others]}"
wait "${streams[others]}" 2>/dev/null || true
within 10 "no injector is left" injectors_are 0
within 10 "no socket is left" sockets_are 0
unwatch
python3 "$tests/streams.py" last $work/seen 0x4000 >/dev/null
