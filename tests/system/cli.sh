#!/bin/bash
# The command as programs use it: JSON everywhere, no terminal codes in a pipe, mistakes are told on
# standard error with exit status 2, and what happens can be watched.
. "$(dirname "$0")/lib.sh"

# wrong_usage ARGUMENT...
wrong_usage() {
    local status=0 output

    output=$(nb "$@" 2>$work/mistake) || status=$?
    equal "exit status of netbroker $*" 2 $status
    equal "standard output of netbroker $*" "" "$output"
    [ -s $work/mistake ] || fail "netbroker $* does not say what is wrong"
}

subscribed() {
    [ "$(status_of subscribers)" = 1 ]
}

start_daemon
nb mfc add --group 239.1.1.1 --iif lo --oifs lo --json | python3 -m json.tool >/dev/null
for command in "mfc show" "vif show" show status ping describe doctor "mfc del --group 239.1.1.1 \
    --dry-run" "mfc flush --dry-run"; do
    # shellcheck disable=SC2086 # words of a command
    nb --json $command | python3 -m json.tool >/dev/null || fail "no JSON from $command"
    # shellcheck disable=SC2086
    nb $command >$work/output
    if grep -q $'\033' $work/output; then
        fail "terminal codes in a pipe from $command"
    fi
done
equal "routes after the dry runs" 1 "$(status_of mroute.routes)"

status=0
nb status >/dev/full 2>$work/output || status=$?
equal "exit status of a full disk" 1 $status
equal "what is said of it" "netbroker: cannot write the output: No space left on device." \
    "$(cat $work/output)"
nb --json status >/dev/full 2>$work/output || true
equal "the same for programs" '{"code":"file","message":"cannot write the output: No space left on device."}' \
    "$(cat $work/output)"

wrong_usage mfc ad
wrong_usage mfc add --group 239.1.1.1 --iff lo
wrong_usage mfc add --group
wrong_usage show everything

nb --json watch >$work/events &
watcher=$!
within 5 "the watcher is subscribed" subscribed
nb mfc del --group 239.1.1.1
within 5 "the event is told" grep -q mfc.deleted $work/events
kill $watcher
