#!/bin/bash
# Who may do what, with real users: the socket lets only root and a group in, and then each action
# is decided for the user who connected, whoever has the connection later.
. "$(dirname "$0")/lib.sh"

make_users
make_topology
cat >$work/policy.conf <<END
[allow members to look]
group = netbroker
verbs = *.read

[allow the operator some interfaces]
user = operator
verbs = mroute.write, join.write
interfaces = r0, r1
multicast = 239.1.0.0/16
END
printf '%s\n' "[service]" "capture-interfaces = r0" "inject-interfaces = r0" >$work/netbrokerd.conf
start_daemon --config $work/netbrokerd.conf --policy $work/policy.conf

equal "the socket's mode" "660 root netbroker" "$(stat --format='%a %U %G' $socket)"
for user in operator stranger; do
    status=0
    nb_as $user ping 2>$work/refusal || status=$?
    equal "exit status of $user, who is not in the group" 3 $status
    contains "the reason" "Members of the group 'netbroker' may connect" "$(cat $work/refusal)"
done
nb_as member ping

chmod 666 $socket # from here on, all that stands between is the policy
python3 "$tests/users.py" agree
for user in root member operator stranger; do
    as $user python3 $work/build/users.py matrix $user
done
python3 "$tests/users.py" identity

# The operator's rule ends at its interfaces and groups.
nb_as operator mfc add --group 239.1.1.1 --iif r0 --oifs r1
nb mfc add --group 239.1.1.2 --iif r0 --oifs r1,r2
denied "another interface" nb_as operator mfc add --group 239.1.1.3 --iif r0 --oifs r2
denied "another group" nb_as operator mfc add --group 239.2.1.1 --iif r0 --oifs r1
denied "replacing another's route" nb_as operator mfc add --group 239.1.1.2 --iif r0 --oifs r1
denied "deleting another's route" nb_as operator mfc del --group 239.1.1.2
denied "deleting all" nb_as operator mfc flush --all
contains "who was denied" "User operator (3002) may not do" "$(cat $work/denied)"

# Whoever sees a lease, and whosever it is: revoking takes a verb of its own.
lease=$(nb --json leases | python3 -c 'import json, sys
print(*[l["lease"] for l in json.load(sys.stdin)["leases"] if l["uid"] == 3002])')
contains "the member's view of the leases" "$lease" "$(nb_as member leases)"
denied "revoking a lease that he sees" nb_as member revoke "$lease"
denied "revoking his own lease" nb_as operator revoke "$lease"
equal "routes" 2 "$(status_of mroute.routes)"
nb revoke "$lease"
equal "routes after root revoked one" 1 "$(status_of mroute.routes)"
