#!/bin/bash
# One person, one share: the uids that a user has in a user namespace are this user, and a uid that
# nobody knows is refused until a rule names it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/policy-lib.sh"

many=1100 # more than there may be users

# ask_as UID REQUEST: the code of the reply, or "success"
ask_as() {
    python3 "$tests/identity.py" as "$1" "$2" >$work/reply
    if [ "$(member status <$work/reply)" = success ]; then
        echo success
    else
        member code <$work/reply
    fi
}

answered() {
    [ -s $work/answers ]
}

add() {
    echo '{"action": "ADD_MFC", "payload": {"group": "'"$1"'", "iif": "lo", "oifs": ["lo"]}}'
}

ping='{"action": "PING"}'

make_users
cat >$work/subuid <<'SUBUID'
member:100000:65536
stranger:120000:100000
operator:3001:10
root:300000:65536
nobody-at-all:400000:10
3002:410000:10
broken
member:-5:3
SUBUID
chmod 644 $work/subuid
[ -e /etc/subuid ] || skip "there is no /etc/subuid that this test could cover with its own"
mount --bind $work/subuid /etc/subuid
rules <<'RULES'
[allow members one route]
group = netbroker
verbs = mroute.write
leases = 1

[allow the operator to look]
user = operator
verbs = *.read
RULES
start_daemon --policy $work/policy.conf
chmod 666 $socket

# Subordinate uids.
mkfifo $work/until
python3 "$tests/identity.py" many $many <$work/until >$work/answers &
attacker=$!
exec 5>$work/until
within 60 "all have asked" answered
equal "leases of a user with a rule for one" "limit=$((many - 1)) success=1" "$(cat $work/answers)"
equal "the user of the lease" 3001 "$(nb --json leases | member leases.0.uid)"
nb_as operator ping # whom the service knows, beside all of them
nb ping
at_most "users of $many uids" 3 "$(status_of load.users)"
logged "uid=3001" || fail "the audit does not name the user"
logged "kernel_uid=100000" || fail "the audit does not name the uid"
exec 5>&-
wait $attacker

# Whose a uid is: of the user of its own number, else of the first owner, and never root's.
nb mfc flush --all
rules <<'RULES'
[allow all]
everyone = yes
verbs = mroute.write, service.read
RULES
reload
for question in 100000:3001 130000:3001 165536:3003 3002:3002 3001:3001 300005:300000 365535:300000 \
    400003:400000 410003:3002; do
    uid=${question%:*}
    equal "uid $uid adds a route" success "$(ask_as "$uid" "$(add 239.78.0.1)")"
    equal "the user of uid $uid" "${question#*:}" "$(uid_of 239.78.0.1)"
    nb mfc flush --all
done
equal "a uid of root's does what is for administrators" not-allowed \
    "$(ask_as 300005 '{"action": "REVOKE", "payload": {"lease": "000000000001"}}')"

# Nobody's: refused, with the rule that would help; by a number or a range of a rule, a user.
equal "a uid that nobody knows" not-allowed "$(ask_as 500000 "$ping")"
contains "its refusal" "users = 500000" "$(cat $work/reply)"
cat >>$work/policy.conf <<'RULES'

[allow a container]
users = 499999, 500000-500001
verbs = service.read
RULES
reload
equal "a uid in a rule's range" success "$(ask_as 500000 "$ping")"
equal "a uid that a rule names" success "$(ask_as 499999 "$ping")"
equal "the uid behind the range" not-allowed "$(ask_as 500002 "$ping")"

# The file may change: its owners are others from the next connection on.
cp $work/subuid $work/subuid.old
sed '/^member:100000/d; s/^stranger:120000/stranger:100000/' $work/subuid.old >$work/subuid
equal "a uid with another owner adds a route" success "$(ask_as 100000 "$(add 239.78.0.2)")"
equal "the user of uid 100000" 3003 "$(uid_of 239.78.0.2)"
logged "/etc/subuid:6: " || fail "the log does not say which line is broken"
