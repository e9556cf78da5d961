#!/bin/bash
# The command against a service that is not what it seems. Whatever a service sends, a terminal and a
# pipe get no control character, no bidirectional one and no byte that is not UTF-8, as text and as
# JSON; and a reply that never comes is waited for as long as --timeout says.
. "$(dirname "$0")/lib.sh"

fake=

# serve MANNER
serve() {
    [ -z "$fake" ] || kill "$fake"
    rm -f $socket
    python3 "$tests/strange_service.py" $socket "$1" &
    fake=$!
    within 10 "the program listens" test -S $socket
}

# harmless WHAT FILE...: nothing in them but lines of harmless text.
harmless() {
    python3 - "$@" <<'PROGRAM'
import sys
import unicodedata

text = "".join(open(name, "rb").read().decode() for name in sys.argv[2:])
for c in text.replace("\n", ""):
    if unicodedata.category(c) == "Cc" or c in "\u061c\u200e\u200f\u2028\u2029" \
            or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069":
        sys.exit(f"FAILED: {sys.argv[1]}: U+{ord(c):04X} in {text!r}")
PROGRAM
}

# show STATUS ARGUMENT...: what it prints on both streams is harmless.
show() {
    local status=0

    nb "${@:2}" >$work/out 2>$work/err || status=$?
    equal "exit status of netbroker ${*:2}" "$1" $status
    harmless "what netbroker ${*:2} prints" $work/out $work/err
}

echo "route group 239.1.1.1 iif a oifs b" >$work/routes
commands=("mfc show" "vif show" show "join show" leases doctor status metrics ping describe
    "mfc add --group 239.1.1.1 --iif a --oifs b" "mfc del --group 239.1.1.1" "mfc flush"
    "policy check mroute.write" "revoke 0123456789ab" "mfc replace -f $work/routes --dry-run")

serve hostile
for command in "${commands[@]}"; do
    read -ra words <<<"$command"
    status=0
    [ "${words[0]}" != policy ] || status=1 # nothing is allowed that no answer allows
    show $status "${words[@]}"
    [ -s $work/out ] || fail "$command prints nothing"
    show $status "${words[@]}" --json
    python3 -c 'import json, sys; json.load(sys.stdin)' <$work/out || fail "$command --json is no JSON"
done
show 0 ping
equal "what is shown" 'a\x1b[2J\x1b]0;title\x07\xc2\x9b31m\xe2\x80\xaegro\xe2\x81\xa6x\xe2\x80\x8f\xd8\x9c\x0a\x7fz\xff' \
    "$(cat $work/out)"
show 3 watch
contains "an event" '\x1b[2J' "$(cat $work/out)"
show 3 watch --json
equal "events" 2 "$(wc -l <$work/out)"
equal "an event's group" "a?[2J?]0;title??31m?gro?x????z?" \
    "$(head -n 1 $work/out | python3 -c 'import json, sys
print("".join(c if " " <= c <= "~" else "?" for c in json.load(sys.stdin)["payload"]["group"]))')"

serve refusing
for command in "${commands[@]}" watch; do
    read -ra words <<<"$command"
    show 1 "${words[@]}"
    contains "the refusal of $command" '\x1b[2J' "$(cat $work/err)"
    show 1 "${words[@]}" --json
    equal "the code of $command" not-found "$(head -n 1 $work/err | member code)"
    equal "the field of $command" group "$(head -n 1 $work/err | member field)"
done

# no_reply MANNER ARGUMENT...: it ends in time and says why.
no_reply() {
    local before

    serve "$1"
    before=$(now_ms)
    show 3 "${@:2}" --timeout 0.3
    contains "what netbroker ${*:2} says" "no reply from the service at $socket within 0.3 s" \
        "$(cat $work/err)"
    [ $(($(now_ms) - before)) -ge 290 ] || fail "netbroker ${*:2} did not wait"
    at_most "milliseconds until netbroker ${*:2} ends" 8000 $(($(now_ms) - before))
}

for command in ping doctor watch "mfc show --watch" "mfc replace -f $work/routes" \
    "mfc add --group 239.1.1.1 --iif a --oifs b --while-connected"; do
    read -ra words <<<"$command"
    no_reply silent "${words[@]}"
done
no_reply stalling ping
no_reply mute-after-one mfc replace -f $work/routes
serve silent
show 3 ping --timeout 0.3 --json
equal "its code" timeout "$(member code <$work/err)"

# A service that takes nobody: its queue has room for one or two.
serve deaf
for _ in 1 2 3; do
    nb ping --timeout 30 2>/dev/null &
done
sleep 0.5
show 3 ping --timeout 0.3
contains "what is said" "no reply from the service" "$(cat $work/err)"

# No limit once events may come.
serve mute-after-one
nb watch --timeout 0.3 >$work/out 2>$work/err &
watcher=$!
sleep 1.5
kill -0 $watcher || fail "watch waits for its first reply only: $(cat $work/err)"
kill $watcher "$fake"
