# shellcheck shell=bash
# A policy that changes while the service runs, and whose leases are. Sourced behind lib.sh.
# shellcheck disable=SC2154 # work, daemon: of lib.sh

logged() {
    grep -qF "$1" "$work/daemon.log"
}

# rules: what is read becomes the policy, with the next reload.
rules() {
    cat >"$work/policy.conf"
}

# reload [TEXT]: returns when the log says so.
reload() {
    : >"$work/daemon.log"
    kill -HUP "$daemon"
    within 5 "the policy is read again${1:+: $1}" logged "${1:-policy read}"
}

# uid_of GROUP: whose the lease on the route is
uid_of() {
    nb --json leases | python3 -c 'import json, sys
print(*[l["uid"] for l in json.load(sys.stdin)["leases"] if sys.argv[1] in l["what"]])' "$1"
}
