#!/bin/bash
# Without --foreground the command returns when the service serves, and not before.
. "$(dirname "$0")/lib.sh"

for ((i = 0; i < 5; i++)); do
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --socket $socket
    nb ping # at once
    keeper=$(status_of keeper.pid)
    kill -TERM "$keeper"
    within 10 "netbrokerd ends" test ! -e "/proc/$keeper/status"
done
