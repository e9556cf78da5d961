#!/bin/bash
# The policy's files: one that others may have written, or with a mistake, is not used, and which
# and where is told. Read again they take effect as a whole or not at all, also for connections that
# are open.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/policy-lib.sh"

rules() {
    cat >$work/etc/policy.conf <<<"$1"
}

# not_used WHAT REASON: the check of the files refuses, and says why. A start: see start-mistakes.sh.
not_used() {
    local status=0

    "$build/daemon/netbrokerd" --check-config --policy $work/etc/policy.conf 2>$work/mistake ||
        status=$?
    equal "exit status of the check of $1" 1 $status
    contains "the mistake of $1" "$2" "$(cat $work/mistake)"
    rm -rf $work/etc/policy.conf
}

make_users
mkdir -m 755 $work/etc $work/etc/policy.d
everyone="[allow x]
everyone = yes
verbs = *.read"
nobody="[allow x]
user = root
verbs = *.read"

rules "$everyone" && chown stranger $work/etc/policy.conf
not_used "a stranger's file" "etc/policy.conf is not used: it must belong to root"
rules "$everyone" && chmod 664 $work/etc/policy.conf
not_used "a file that a group may write" "policy.conf is not used: nobody but root"
rules "$everyone" && chmod 606 $work/etc/policy.conf
not_used "a file that everybody may write" "policy.conf is not used: nobody but root"
rules "$everyone" && mv $work/etc/policy.conf $work/etc/real
ln -s real $work/etc/policy.conf
not_used "a symbolic link" "policy.conf is not used: it is a symbolic link"
mkdir $work/etc/policy.conf
not_used "a folder" "policy.conf is not used: it is not a regular file"
mkfifo $work/etc/policy.conf
not_used "a FIFO" "policy.conf is not used: it is not a regular file"
rules "$everyone"
touch $work/etc/policy.d/a.conf && chmod 666 $work/etc/policy.d/a.conf
not_used "a drop-in that everybody may write" "policy.d/a.conf is not used: nobody but root"
rm $work/etc/policy.d/a.conf
rules "$everyone" && chmod 777 $work/etc/policy.d
not_used "a folder that everybody may write" "policy.d is not used: nobody but root"
chmod 755 $work/etc/policy.d
rules "${everyone/everyone = yes/user = no-such-user}"
not_used "an unknown user" "policy.conf:2: 'no-such-user' is wrong; right would be the name"
rules "${everyone/everyone = yes/group = no-such-group}"
not_used "an unknown group" "policy.conf:2: 'no-such-group' is wrong; right would be the name"
rules "${everyone/read/raed}"
not_used "an unknown verb" "policy.conf:3: '*.raed' is wrong; right would be a verb"

# What only root can read, the service cannot: the check reads as the user that it becomes.
rules "$everyone" && chmod 600 $work/etc/policy.conf
not_used "a file for root alone" "policy.conf is not used: Permission denied; the user that the service"

# While the service runs. One connection stays open through all of it.
rules "$everyone"
start_daemon --policy $work/etc/policy.conf
chmod 666 $socket
mkfifo $work/requests
as stranger python3 -u -c 'import sys
sys.path.insert(0, "'$work/build'")
from protocol import Client
client = Client()
for line in sys.stdin:
    print(client.call("PING").get("code", "success"), flush=True)' <$work/requests >$work/replies &
exec 5>$work/requests

subscribed() {
    [ "$(status_of subscribers)" = 1 ]
}

ended() {
    ! kill -0 "$1"
}

answered() {
    [ "$(wc -l <$work/replies)" -ge $answers ]
}

# stranger_gets WORD: on the open connection, and on a new one.
answers=0
stranger_gets() {
    local status=0

    answers=$((answers + 1))
    echo >&5
    within 5 "answer $answers" answered
    equal "the stranger's answer" "$1" "$(tail -n 1 $work/replies)"
    nb_as stranger ping >/dev/null 2>&1 || status=$?
    equal "the exit status on a new connection" "$([ "$1" = success ] && echo 0 || echo 1)" $status
}

stranger_gets success
nb_as stranger watch >/dev/null 2>$work/watched &
watcher=$!
within 5 "the stranger is subscribed" subscribed
rules "$nobody"
stranger_gets success # not before it is read
reload "policy read: 1 rules"
stranger_gets not-allowed
within 5 "the subscription ends with its rule" ended $watcher
contains "what the command says" "does not allow you any more to subscribe" "$(cat $work/watched)"
rules "$everyone
nonsense"
reload "the policy stays as it was"
logged "policy.conf:4: " || fail "the log does not name the line"
stranger_gets not-allowed
rules "$everyone"
chmod 666 $work/etc/policy.conf
reload "the policy stays as it was"
stranger_gets not-allowed
chmod 644 $work/etc/policy.conf
reload "policy read: 1 rules"
stranger_gets success

# A broker that starts while the files are bad has no rules: only the administrator is let in.
rules "$everyone
nonsense"
: >$work/daemon.log
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "the broker starts again" logged "only root may do anything"
within 10 "the service serves" nb ping
denied "a ping without rules" nb_as stranger ping
rules "$everyone"
reload "policy read: 1 rules"
nb_as stranger ping
exec 5>&-

# What is asked about, and what is named, must be there.
status=0
refusal=$(nb policy check mroute.fly r0 2>&1) || status=$?
equal "a question about a verb that does not exist" 1 $status
contains "its refusal" "no verb 'mroute.fly'" "$refusal"
status=0
refusal=$("$build/daemon/netbrokerd" --check-config --policy $work/nowhere.conf 2>&1) || status=$?
equal "a policy that was named and is not there" 1 $status
contains "what it says" "nowhere.conf is not used: No such file" "$refusal"

# Whether it is allowed is the exit status of the question, too.
nb policy check mroute.write r0 >/dev/null
status=0
nb policy check --user stranger mroute.write r0 >/dev/null || status=$?
equal "the exit status of a check that says no" 1 $status
