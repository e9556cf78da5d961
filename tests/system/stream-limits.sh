#!/bin/bash
# What a client of a stream may not have is refused, and says why: a rate that this machine cannot
# hold, with the figures; records that cannot be; templates out of its scope, also one that it
# rewrites. Who floods the service with records delays none of another user's frames for long.
# shellcheck disable=SC2086,SC2154 # work: of lib.sh; others are numbers
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"
. "$(dirname "$0")/streams-lib.sh"

cat >>$work/netbrokerd.conf <<EOT

[limits]
timed-rate = 1000000
timed-rate-per-user = 1000000
EOT
serve
fields='"interface": "r0", "sources": ["any"], "template": true, "late": 0'
scope='"interface": "r0", "ethertypes": ["sv"], "template": true, "rate": 4000, "vlans": ["none"],
    "sources": ["own", "02:00:00:00:00:01"], "destinations": ["01:0c:cd:04:00:00/32"]'

# refused WHAT FIELDS WORDS
refused() {
    ! stream member "{$2}" </dev/null >$work/refusal 2>&1 || fail "$1 is granted"
    contains "$1" "$3" "$(cat $work/refusal)"
}

refused "a rate that no machine holds" "$fields, \"rate\": 870000" "us each on this machine (measured"
contains "the figures" "% of a processor; at most 80 %" "$(cat $work/refusal)"
stream member "{$fields, \"rate\": 1000}" </dev/null >/dev/null || fail "a modest rate is refused"
contains "when it is known, a dry run says it" "of a processor" "$(json "{\"action\": \"OPEN_INJECT\",
    \"payload\": {$fields, \"rate\": 870000, \"dry_run\": true}}")"
refused "another EtherType" "$fields, \"ethertypes\": [\"sv\", \"goose\"]" "Sampled Values"
refused "half a second" "$fields, \"start\": 1500" "a full second"
refused "a table that is too small" "$fields, \"tables\": 1000" "65536"
within 10 "none is left" injectors_are 0

# Each template is held to the scope, and records that cannot be are told.
stream operator "{$scope}" >$work/told <<EOT
play 0 0 10 0 0
template 4000 destination=010ccd050000
template 4000 ethertype=0x88b8
template 4000 source=020000000002
template 8000
template 4000
template 4000 sample=8
samples 16383 2 0
samples 0 20 0
play 18446744073709551614 0 10 0 0
play 0 16300 200 0 0
play 0 0 10 0 0
play 0 0 10 0 2
taken
sleep 0.2
refusals
told
EOT
equal "what was refused" "3:0:template 1:4000:destination 1:4000:ethertype 1:4000:source 1:8000:rate 1:4000:template 2:16383:table 3:0:time 3:0:table 3:0:rate" \
    "$(sed -n 2p $work/told)"

# A template that is rewritten while it is judged: one that was judged is sent, or it is refused.
watch
as operator timeout 60 python3 $work/build/streams.py rewrite "{$scope, \"rate\": 4000}" 300 \
    >$work/rewritten || fail "the rewriter: $(cat $work/rewritten)"
[ "$(seen 4000)" -gt 0 ] || fail "nothing was sent"
python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
from streams import raw_frames
wrong = {data[:6].hex() for _, data in raw_frames(sys.argv[2])} - {"010ccd040000"}
if wrong:
    sys.exit(f"FAILED: sent to {wrong}")' "$tests" $work/seen
unwatch

# One that writes all it can, and one that sends: none of its frames is missing, and it has a time.
watch
as operator timeout 60 python3 $work/build/streams.py attack "{$scope}" 4 >$work/attacks &
attacker=$!
stream member "{$fields, \"rate\": 1000}" >$work/told <<EOT
template 1000 appid=0x4001
samples 0 100 0
play 0 0 100 20 0
until played 1
told
EOT
wait $attacker || fail "the attacker: $(cat $work/attacks)"
unwatch
start=$(tail -n 1 $work/told | python3 -c 'import json, sys; print(json.load(sys.stdin)["started"])')
python3 "$tests/streams.py" check $work/seen 0x4001 1000 1 "$start" 0:2000:0:100:1
within 10 "none is left" injectors_are 0
