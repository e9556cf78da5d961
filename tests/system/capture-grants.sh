#!/bin/bash
# A user captures what the policy and the service's settings let him: other interfaces, EtherTypes
# and directions, and what others read, are out of reach.
. "$(dirname "$0")/lib.sh"

command -v tshark >/dev/null || skip "there is no tshark"
command -v xxd >/dev/null || skip "there is no xxd"
. "$(dirname "$0")/capture-lib.sh"

serve
denied "a stranger" nb_as stranger capture -i r0
denied "another interface" nb_as member capture -i r1
denied "promiscuous elsewhere" nb_as member capture -i r1 --promiscuous
denied "all EtherTypes" nb_as operator capture -i r0 --direction in
denied "another EtherType" nb_as operator capture -i r0 --direction in --ethertypes 0x88ba,arp
denied "the other direction" nb_as operator capture -i r0 --ethertypes sv --direction out
denied "both directions" nb_as operator capture -i r0 --ethertypes sv
contains "the reason" "interfaces=r0 ethertypes=0x88ba" "$(cat $work/denied)"
denied "who reads what there is, as a stranger" nb_as stranger capture list

# Beyond the policy there is what the settings say, for everybody.
for user in root member; do
    as $user $work/build/client/netbroker capture -i r2 >$work/refusal 2>&1 && fail "r2 is captured"
    contains "the refusal" "capture-interfaces of netbrokerd.conf(5) does not name it" \
        "$(cat $work/refusal)"
done
equal "a mistake in a filter" "out-of-range" "$(json '{"action": "OPEN_CAPTURE", "payload":
    {"interface": "r0", "filter": "0005000000000007"}}' | member code)"

# A capture that is promiscuous needs a grant that does not exclude it; a veth has no clock.
denied "promiscuous where it is not granted" nb_as operator capture -i r0 --direction in \
    --ethertypes sv --promiscuous
as member $work/build/client/netbroker capture -i r0 --timestamps interface >$work/refusal 2>&1 &&
    fail "a veth pair has a clock"
contains "the refusal" "no clock for all frames" "$(cat $work/refusal)"
within 10 "no socket is left of it" sockets_are 0

# Within the grant: his EtherTypes, also behind tags, and one direction.
capture operator granted -i r0 --ethertypes 0x88ba --direction in
capture member all -i r0 --promiscuous
equal "promiscuity" 1 "$(ip -d -j link show r0 | member 0.promiscuity)"
# Each sees his own in the list, and others' only where he may read them.
listed() {
    as "$1" python3 $work/build/users.py listed SHOW_CAPTURE captures
}
equal "what the operator sees" "$(id -u operator)" "$(listed operator)"
equal "what a member sees" "$(id -u operator) $(id -u member)" "$(listed member)"
arrive 5 88ba"$(printf '11%.0s' {1..60})" 8100606488ba"$(printf '22%.0s' {1..60})" \
    88a8200a8100606588ba"$(printf '33%.0s' {1..60})" 88b8"$(printf '44%.0s' {1..60})" \
    0800"$(printf '55%.0s' {1..60})" 8100606488b8"$(printf '66%.0s' {1..60})" \
    810020018100200281002003"$(printf '77%.0s' {1..60})"
leave 5 88ba"$(printf '88%.0s' {1..60})"
arrive 5 "$mark"
has_marks() {
    [ "$(strings $work/files/all | grep -c netbroker-mark)" = 5 ]
}
within 10 "all has come" has_marks
ends all 0 INT
ends granted 0 INT
equal "frames within the grant" 15 "$(frames_of granted)"
equal "of them sampled values" 15 "$(frames_of granted "eth.type == 0x88ba || vlan.etype == 0x88ba ||
    ieee8021ad.cvid")"

# A reader cannot write where he reads, and what he writes to his own page harms nobody.
mkfifo $work/go
as member python3 $work/build/capture.py fences r0 <$work/go >$work/ready &
liar=$!
exec 7>$work/go
within 10 "somebody lies" grep -q ready $work/ready
capture member beside -i r0 -c 50
arrive 50 88b8"$(printf '99%.0s' {1..60})"
ends beside 0
exec 7>&-
wait $liar
within 10 "nothing is left" captures_are 0

# One who reads nothing loses the newest frames and is told how many, and others lose none.
as member python3 $work/build/capture.py slow r0 <$work/go >$work/slow &
slow=$!
exec 7>$work/go
within 10 "the slow one is there" grep -q ready $work/slow
capture member fast -i r0 --ethertypes 0x88b5 --direction in -c 4000
arrive 4000 88b5"$(printf 'aa%.0s' {1..1000})"
ends fast 0
contains "the fast one" "0 lost by the kernel, 0 by this command" "$(cat $work/files/fast.err)"
equal "frames of the fast one" 4000 "$(frames_of fast)"
echo >&7
exec 7>&-
wait $slow
contains "the slow one" "4000 some lost some kept" "$(cat $work/slow)"

# Nobody ends another's, and an administrator does.
as member python3 $work/build/capture.py hold r0 <$work/go >$work/held &
holder=$!
exec 7>$work/go
within 10 "it is held" grep -q ready $work/held
number=$(cut -d ' ' -f 2 $work/held)
denied "another's capture" nb_as stranger capture close "$number"
nb capture close "$number"
within 10 "it has ended" captures_are 0
exec 7>&-
wait $holder
