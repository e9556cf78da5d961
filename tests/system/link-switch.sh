#!/bin/bash
# A link needs no tap: then it is a switch between its clients, without the service and any privilege.
source "$(dirname "$0")/lib.sh"
without_tun=yes
source "$(dirname "$0")/link-lib.sh"

# switch NAME OPTION...: a link without a tap. Nothing is given to it: no capability, no service.
switch() {
    : >"$work/$1.out"
    env -u NETBROKER_SOCKET "${unprivileged[@]}" "$build/client/netbroker" --socket /nowhere --json \
        link serve --no-tap "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
    servers[$1]=$!
    within 10 "the link $1" ready_or_ended "$1"
    grep -q '"event":"ready"' "$work/$1.out" || fail "the link $1: $(cat "$work/$1.err")"
}

# answers FRAMING PLACE [LOCAL]: one who has 10.9.0.5; returns when it is there.
answers() {
    : >$work/answers.out
    python3 "$peer" answer "$1" "$2" 10.9.0.5 "${@:3}" >$work/answers.out &
    answering=$!
    within 10 "one who answers" grep -q ready $work/answers.out
}

leaves() {
    kill $answering
    wait $answering || true
}

unprivileged=(setpriv "--bounding-set=-all" "--inh-caps=-all" "--ambient-caps=-all" --no-new-privs)
setpriv "--bounding-set=-all" true 2>/dev/null || unprivileged=(setpriv --no-new-privs)

# --- Without a tap ------------------------------------------------------------------------------

switch plain --listen $work/a --listen $work/b,framing=u32be,mode=0660 \
    --listen $work/c,framing=message --listen $work/d,datagrams --listen $work/e,,e,framing=u16be
places=$(grep '"event":"ready"' $work/plain.out | grep -o '"where":[^}]*')
equal "what is told of the places" "\"where\":\"$work/a\",\"framing\":\"u16le\"
\"where\":\"$work/b\",\"framing\":\"u32be\"
\"where\":\"$work/c\",\"framing\":\"message\"
\"where\":\"$work/d\",\"framing\":\"message\"
\"where\":\"$work/e,e\",\"framing\":\"u16be\"" "$places"
equal "the sockets' modes" "600 660 600" "$(stat -c %a $work/a $work/b "$work/e,e" | xargs)"
answers u16le $work/a
equal "from u32be to u16le" 02:00:00:00:bb:01 "$(python3 "$peer" arp u32be $work/b 10.9.0.5)"
equal "from messages to u16le" 02:00:00:00:bb:01 "$(python3 "$peer" arp message $work/c 10.9.0.5)"
equal "from datagrams to u16le" 02:00:00:00:bb:01 "$(python3 "$peer" arp datagrams $work/d 10.9.0.5 $work/l)"
equal "from u16be to u16le" 02:00:00:00:bb:01 "$(python3 "$peer" arp u16be "$work/e,e" 10.9.0.5)"
leaves
answers message $work/c
equal "from u16le to messages" 02:00:00:00:bb:01 "$(python3 "$peer" arp u16le $work/a 10.9.0.5)"
equal "from u32be to messages" 02:00:00:00:bb:01 "$(python3 "$peer" arp u32be $work/b 10.9.0.5)"
leaves
stop plain

# --- Rules of a place ---------------------------------------------------------------------------

switch ruled --isolate --listen $work/a --listen $work/b --listen $work/c,isolate=no \
    --listen $work/d,isolate=no,allow-mac=02:00:00:00:cc:01
answers u16le $work/a
equal "isolated from each other" nothing "$(python3 "$peer" thief u16le $work/b 10.9.0.5)"
equal "from one that is not" answered "$(python3 "$peer" thief u16le $work/c 10.9.0.5)"
equal "an address that its place does not allow" nothing "$(python3 "$peer" thief u16le $work/d 10.9.0.5)"
equal "one that it does" answered "$(python3 "$peer" thief u16le $work/d 10.9.0.5 02:00:00:00:cc:01)"
leaves
stop ruled
