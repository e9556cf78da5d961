#!/bin/bash
# Where a client is: in another network namespace, where its interfaces are not ours, no rule holds
# that does not say so, and uid 0 is nobody special.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/policy-lib.sh"

need_root "to have clients of several users"

there() {
    inside container "$work/build/client/netbroker" "$@"
}

there_as() {
    inside container setpriv --reuid "$1" --regid "$1" --init-groups \
        "$work/build/client/netbroker" "${@:2}"
}

make_users
new_namespace container
rules <<'RULES'
[allow everybody]
everyone = yes
verbs = *

[deny the operator]
user = operator
verbs = join.*
RULES
start_daemon --policy $work/policy.conf
chmod 666 $socket
equal "what the service knows of namespaces" true "$(status_of identity.netns_known)"

# Without a rule that says so.
nb mfc add --group 239.79.0.1 --iif lo --oifs lo
denied "root elsewhere, a route" there mfc add --group 239.79.0.2 --iif lo --oifs lo
contains "the refusal" "another network namespace" "$(cat $work/denied)"
contains "what would help" "netns = any" "$(cat $work/denied)"
denied "root elsewhere, all routes" there mfc flush --all
denied "root elsewhere, a look" there mfc show
denied "a user elsewhere" there_as member ping
nb_as member ping
logged "netns=other" || fail "the audit does not say where the client is"
equal "routes" 1 "$(status_of mroute.routes)"

# With one: root elsewhere is a user as any other is, and not the holder that root is here.
cat >>$work/policy.conf <<'RULES'

[allow the container]
user = root, member, operator
netns = any
verbs = mroute.*, join.*, service.*
RULES
reload
there mfc add --group 239.79.0.2 --iif lo --oifs lo
equal "the user of its route" 4294967294 "$(uid_of 239.79.0.2)"
contains "the list of leases" root-elsewhere "$(nb leases)"
there mfc flush
equal "routes after it deleted its own" 1 "$(status_of mroute.routes)"
if there mfc flush --all 2>$work/refusal; then
    fail "root elsewhere deletes what others hold"
fi
if there mfc del --group 239.79.0.1 2>$work/refusal; then
    fail "root elsewhere deletes root's route"
fi
equal "root's routes" 1 "$(status_of mroute.routes)"
there_as member ping
denied "a rule that denies, elsewhere" there_as operator join show
contains "the doctor's word" "another network namespace" "$(there doctor 2>&1 || true)"

# A question about somebody elsewhere.
nb policy check --user root lease.revoke >/dev/null
status=0
nb policy check --user root --elsewhere lease.revoke >/dev/null || status=$?
equal "the exit status of a check that says no" 1 $status
nb policy check --user root --elsewhere mroute.read >/dev/null
equal "the answer about a number that nobody knows" \
    "User 3999 may not do mroute.read on everything: nobody knows this user, and no rule names the number." \
    "$(nb policy check --user 3999 mroute.read || true)"

# Who passes without a rule.
rules <<'RULES'
[policy]
administrator = operator
RULES
reload
nb_as operator mfc flush --all
denied "root, who is not the administrator" nb mfc show
denied "the administrator elsewhere" there_as operator mfc show
rules <<'RULES'
[policy]
administrator = none

[allow a look]
user = root
verbs = service.read, mroute.read
RULES
reload
denied "the operator again" nb_as operator mfc show
denied "root without an administrator" nb mfc add --group 239.79.0.3 --iif lo --oifs lo
nb mfc show >/dev/null
