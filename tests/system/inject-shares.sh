#!/bin/bash
# Rings share an interface that is slower than they are: whoever fills its queue waits, and the others
# do not; nothing is lost. And clients that lie, ring without end or read nothing take nothing of what
# others send: these have what one has at the same time on an interface of its own.
# shellcheck disable=SC2154 # work: of lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/inject-lib.sh"

sed -i 's/^interfaces = r0, r2$/interfaces = r0, r1/' $work/policy.conf
serve

# fields INTERFACE RATE
fields() {
    echo "{\"interface\": \"$1\", \"sources\": [\"any\"], \"rate\": $2}"
}

# 8 ms for a frame, and three of them fit into the queue.
tc qdisc add dev r0 root tbf rate 1mbit burst 1600 limit 3500 2>/dev/null ||
    skip "this kernel has no token bucket filter"
read -r most refused < <(inject member overtaken "$(fields r0 100000)" 20)
at_most "frames that overtake one of another ring" 12 "$most"
equal "what was refused" "[{}, {}, {}]" "$refused"
tc qdisc delete dev r0 root
within 10 "nothing is left of them" injectors_are 0

# It begins with 1000 rings for nothing, and has 100 a second.
rings=$(inject member ring "$(fields r0 1000)")
at_most "times that a bell without frames was listened to" 1500 "$rings"

some_are_there() {
    [ "$(injectors)" -ge 2 ]
}

# What a machine that others use takes from one, it takes from the other as well.
inject member again 14 lie "$(fields r0 100000)" >$work/lies &
others=($!)
inject member again 14 refused '{"interface": "r0", "rate": 100000}' 20000 >$work/refusals &
others+=($!)
inject member again 14 ring "$(fields r0 100000)" >$work/rings &
others+=($!)
within 10 "the others are there" some_are_there
among=0 alone=0
for _ in 1 2 3 4 5; do
    inject member flood "$(fields r1 1000)" 2 >$work/alone &
    one=$!
    read -r sent _ < <(inject member flood "$(fields r0 1000)" 2)
    wait $one
    among=$((among + sent))
    read -r sent _ <$work/alone
    alone=$((alone + sent))
done
wait "${others[@]}"
echo "$among frames beside others, $alone at the same time elsewhere"
[ $((among * 100)) -ge $((alone * 95)) ] || fail "$among frames beside others, $alone elsewhere"
within 10 "nothing is left of them" injectors_are 0
