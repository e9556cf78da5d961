#!/bin/bash
# The mistakes that people make, and what the command answers: each says what is wrong and what would
# be right, once, in plain words. The whole conversation is kept in mistakes-transcript.txt, to be
# read as its users would; with NB_RENEW=1 this script writes it anew.
. "$(dirname "$0")/lib.sh"

kept=$tests/mistakes-transcript.txt

title() {
    printf '\n# %s\n' "$*"
}

# say WHO COMMAND...: the command as it is typed, what it answers, and its exit status if it is not 0.
say() {
    local who=$1 status=0

    shift
    printf '%s$ netbroker' "${who:+$who }"
    [ $# = 0 ] || printf ' %s' "${@@Q}" | sed -E "s/'([][a-zA-Z0-9_.:\/,=+*-]+)'/\1/g"
    printf '\n'
    if [ -n "$who" ]; then
        nb_as "$who" "$@" 2>&1 || status=$?
    else
        nb "$@" 2>&1 || status=$?
    fi
    [ $status = 0 ] || echo "(exit status $status)"
}

mistake() {
    say "" "$@"
}

without_a_service() {
    title "The service does not run."
    mistake show
    title "Its socket is elsewhere."
    mistake --socket /run/other.sock show
    mistake --socket= show
}

wrong_words() {
    title "Commands."
    mistake
    mistake mfc
    mistake mfc list
    mistake mfc ad
    mistake mcf add
    mistake add mfc
    mistake route add
    title "Options."
    mistake mfc add eth0 239.1.1.1 eth1
    mistake mfc add group 239.1.1.1 iif r0 oifs r1
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 r2
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1, r2
    mistake mfc add --gruop 239.1.1.1 --iif r0 --oifs r1
    mistake mfc add --group 239.1.1.1 --iif r0
    mistake mfc add --group --iif r0 --oifs r1
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 --oifs r2
    mistake mfc flush --dry-run=no
    mistake ping --timeout soon
}

wrong_values() {
    title "Addresses."
    mistake mfc add --group 10.0.0.1 --iif r0 --oifs r1
    mistake mfc add --group 239.1.1 --iif r0 --oifs r1
    mistake mfc add --group 239.1.1.1/33 --iif r0 --oifs r1
    mistake mfc add --group 239.1.1.1/16 --iif r0 --oifs r1
    mistake mfc add --group 224.0.0.251 --iif r0 --oifs r1
    mistake mfc add --source 239.1.1.1 --group 239.1.1.2 --iif r0 --oifs r1
    mistake mfc add --source fd00::1 --group 239.1.1.1 --iif r0 --oifs r1
    title "Interfaces."
    mistake mfc add --group 239.1.1.1 --iif eth99 --oifs r1
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1,eth99
    mistake mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r0
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1,r1
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs ''
    mistake mfc add --group 239.1.1.1 --iif eth0/1 --oifs r1
    mistake join add --group 239.1.1.1 --iif eth99
    title "Numbers."
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1,r2 --ttls 1
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 --ttls 255
    mistake mfc add --group ff05::1 --iif r0 --oifs r1 --ttls 2
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 --table main
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 --table 0
    mistake mfc add --group 239.1.1.1 --iif r0 --oifs r1 --idle 0
    title "Words."
    mistake mfc show --family inet
    mistake watch --topics mfc.foo
    mistake policy check mroute.fly
    mistake policy check --user nobody-of-that-name mroute.write
}

not_there() {
    title "What is not there."
    mistake mfc del --group 239.1.1.1
    mistake mfc del --source 10.1.0.2 --group 239.9.9.9 --iif r2
    mistake join del --group 239.1.1.1 --iif r0
    mistake revoke 0123456789ab
    mistake describe --name ADD_ROUTE
    title "Files."
    mistake mfc replace -f routes.conf
    mistake mfc import smcroute.conf
    printf '%s\n' "# our routes" "route group 239.1.1.1 iif r0 oifs r1" \
        "rout group 239.1.1.2 iif r0 oifs r1" "route group 239.1.1.3 iif r0 oifs r1 r2" \
        "route group 239.1.1.4 iff r0 oifs r1" "route group 239.1.1.5/24 iif r0 oifs r1" \
        "route group 239.1.1.6 iif r0" >routes.conf
    mistake mfc replace -f routes.conf
    echo "route source 10.1.0.2 group 239.1.1.1 iif r0 oifs r0" >routes.conf
    mistake mfc replace -f routes.conf
}

wrong_user() {
    title "Users."
    say stranger mfc show
    say member mfc add --group 239.1.1.1 --iif r0 --oifs r1
    say member mfc del --source 10.1.0.2 --group 239.9.9.9
    say operator mfc del --source 10.1.0.2 --group 239.9.9.9
    say operator mfc add --source 10.1.0.2 --group 239.9.9.9 --iif r0 --oifs r1,r2
    say operator mfc add --group 239.1.1.1 --iif r0 --oifs r2
}

# For programs.
as_json() {
    title "The same for programs."
    mistake --json mfc ad
    mistake --json mfc add --group 239.1.1.1/33 --iif r0 --oifs r1
    mistake --json mfc add --group 239.1.1.1 --iif eth99 --oifs r1
    mistake --json --socket /run/other.sock show
    mistake --json mfc replace -f nothing.conf
}

make_users
sed 's/^netbroker:x:3000:.*/netbroker:x:3000:member,operator/' /etc/group >$work/groups
cat $work/groups >/etc/group # the file itself is mounted
make_topology
cd $work
cat >policy.conf <<'END'
[allow members of netbroker to look]
group = netbroker
verbs = *.read

[allow the operator between r0 and r1]
user = operator
verbs = mroute.write
interfaces = r0, r1
END
chmod 644 policy.conf
{
    without_a_service
    start_daemon --policy $work/policy.conf
    nb mfc add --source 10.1.0.2 --group 239.9.9.9 --iif r0 --oifs r1 >/dev/null
    wrong_words
    wrong_values
    not_there
    wrong_user
    as_json
} >$work/transcript
if [ -n "${NB_RENEW:-}" ]; then
    cp $work/transcript "$kept"
else
    diff -u "$kept" $work/transcript || fail "the answers are others (NB_RENEW=1 keeps the new ones)"
fi
[ "$(grep -c '^(exit status [123])$' $work/transcript)" -ge 20 ] || fail "few mistakes"
