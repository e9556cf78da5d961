#!/bin/bash
# One user takes all that he gets: connections, leases and requests. Another one is served.
. "$(dirname "$0")/lib.sh"

limit_is() {
    [ "$(status_of limits.leases_per_user)" = "$1" ]
}

make_users
start_for_everybody "connections = 40" "leases-per-user = 5" "requests-per-second = 50"
python3 "$tests/quotas.py"
equal "lines about the greedy user" 1 \
    "$(grep -c 'warning: user member (3001) has 10 connections; more are refused' $work/daemon.log)"

equal "a default that is a part of another limit" 16384 "$(status_of limits.learned_routes_per_user)"

# The administrator helps at once, by a file that is read again.
sed -i 's/leases-per-user = 5/leases-per-user = 6/' $work/limits.conf
kill -HUP "$daemon"
within 10 "the new limit" limit_is 6

# And by a rule of the policy, which goes further down for one kind of request.
cat >$work/policy.conf <<END
[allow two]
user = nobody
verbs = *
leases = 2
END
kill -HUP "$daemon"
within 10 "the new rule" grep -q 'policy read: 1 rules' $work/daemon.log
cp "$build/client/netbroker" $work/
as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups "$work/netbroker")
for number in 1 2; do
    "${as_nobody[@]}" mfc add --group 239.88.0.$number --iif lo --oifs lo
done
status=0
refusal=$("${as_nobody[@]}" mfc add --group 239.88.0.3 --iif lo --oifs lo 2>&1) || status=$?
equal "the third lease by a rule for two" 1 $status
contains "its refusal" "at most 2" "$refusal"
"${as_nobody[@]}" mfc del --group 239.88.0.1
"${as_nobody[@]}" mfc add --group 239.88.0.3 --iif lo --oifs lo
