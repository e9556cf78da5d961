#!/bin/bash
# Tshark, started by users without rights, lists the interfaces that they may capture, and captures
# them: through netbroker-extcap, with its options, and whatever ends it.
. "$(dirname "$0")/../system/lib.sh"

for program in tshark xxd; do
    command -v $program >/dev/null || skip "there is no $program"
done
. "$(dirname "$0")/../system/capture-lib.sh"

serve
mkdir $work/extcap
cp "$build/client/netbroker-extcap" $work/extcap
chmod -R a+rX $work/extcap
export WIRESHARK_EXTCAP_DIR=$work/extcap TZ=UTC
for user in member operator stranger; do
    mkdir -m 777 $work/home-$user
done

# sharks USER ARGUMENT...: runs tshark in place of this shell
sharks() {
    export HOME=$work/home-$1
    exec setpriv --reuid "$1" --regid "$1" --init-groups tshark "${@:2}"
}

# shark NAME USER ARGUMENT...: tshark in the background, until its capture is open
shark() {
    local before
    before=$(captures)

    (sharks "${@:2}") >$work/files/"$1".out 2>$work/files/"$1".err &
    running[$1]=$!
    within 20 "$1 captures: $(cat $work/files/"$1".err)" captures_are $((before + 1))
}

# after NAME: nothing of it is left.
after() {
    within 10 "the capture of $1 has ended" captures_are 0
    ! pgrep -x netbroker-extca >/dev/null || fail "netbroker-extcap of $1 runs still"
}

# listed USER: the names of ours in its list
listed() {
    (sharks "$1" -D) 2>$work/err | sed -n 's/^[0-9]*\. \(netbroker-[^ ]*\).*/\1/p' | xargs
}

# lines NAME PATTERN: how many there are of it in what tshark printed
lines() {
    grep -c "$2" $work/files/"$1".out || true
}

# --- The list -----------------------------------------------------------------------------------

equal "interfaces of the member" netbroker-r0 "$(listed member)"
equal "interfaces of the operator" netbroker-r0 "$(listed operator)"
equal "interfaces of a stranger" "" "$(listed stranger)"
contains "link types" "EN10MB (Ethernet)" "$( (sharks member -i netbroker-r0 -L) 2>&1)"
equal "what is set by default" "0x88ba,0x88b8 in" \
    "$( (sharks operator -G currentprefs) 2>$work/err |
        sed -n 's/^#extcap\.netbroker_r0\.\(ethertypes\|direction\): //p' | xargs)"

# --- Captures -----------------------------------------------------------------------------------

other=88b8$(printf '11%.0s' {1..60})

# So many, then it is over.
shark count member -i netbroker-r0 -Y "eth.type == 0x88b5" -a packets:20
arrive 20 "$mark"
ends count 0
after count
[ "$(lines count 0x88b5)" -ge 10 ] || fail "frames of count: $(cat $work/files/count.out)"

# An EtherType, a snap length; and a capture filter beside it.
shark option member -i netbroker-r0 -o extcap.netbroker_r0.ethertypes:0x88b8 \
    -o extcap.netbroker_r0.snaplen:40 -c 3 -w $work/files/option.pcapng
arrive 5 "$mark" "$other"
ends option 0
after option
equal "frames of an EtherType" "3 3" "$(frames_of option.pcapng) $(frames_of option.pcapng \
    'eth.type == 0x88b8 && frame.cap_len == 40')"
shark filter member -i netbroker-r0 -f "ether proto 0x88b8 and ether[20] == 0x11" -c 3 \
    -w $work/files/filter.pcapng
arrive 5 "$mark" "$other"
ends filter 0
after filter
equal "frames of a filter" "3 3" \
    "$(frames_of filter.pcapng) $(frames_of filter.pcapng "eth.type == 0x88b8")"

# Promiscuous as long as it runs, and an end by time.
shark time member -i netbroker-r0 -o extcap.netbroker_r0.promiscuous:true -a duration:8 \
    -w $work/files/time.pcapng
equal "promiscuity" 1 "$(ip -d -j link show r0 | member 0.promiscuity)"
arrive 7 "$mark"
ends time 0
after time
equal "promiscuity afterwards" 0 "$(ip -d -j link show r0 | member 0.promiscuity)"
equal "frames until it is over" 7 "$(frames_of time.pcapng "eth.type == 0x88b5")"
capinfos $work/files/time.pcapng >$work/infos 2>$work/complaints || fail "$(cat $work/complaints)"
grep -q "Name = r0" $work/infos || fail "capinfos: $(cat $work/infos)"

# Who may have some has these by default, and is told about others.
shark some operator -i netbroker-r0 -c 2 -T fields -e eth.type
arrive 2 "$mark" "$other"
ends some 0
after some
equal "frames of the operator" 2 "$(lines some 0x88b8)"
status=0
(sharks operator -i netbroker-r0 -o extcap.netbroker_r0.ethertypes:arp -c 1) >$work/out 2>&1 ||
    status=$?
equal "status of what is refused" 1 $status
contains "the reason" "may not do raw.capture on interfaces=r0 ethertypes=0x0806" "$(cat $work/out)"
status=0
(sharks member -i netbroker-r0 -f "ether frob 1" -c 1) >$work/out 2>&1 || status=$?
equal "status of a wrong filter" 1 $status
contains "what is wrong" "can't parse filter expression: syntax error" "$(cat $work/out)"

# --- How they end -------------------------------------------------------------------------------

shark stopped member -i netbroker-r0 -w $work/files/stopped.pcapng
arrive 3 "$mark"
has_frames() {
    [ "$(strings $work/files/"$1".pcapng | grep -c netbroker-mark)" -ge "$2" ]
}
within 10 "frames of stopped" has_frames stopped 3
ends stopped 0 INT
after stopped
equal "frames of stopped" 3 "$(frames_of stopped.pcapng "eth.type == 0x88b5")"

# The service is killed: what came before is there, and it goes on. Where none comes back, it is said why
# it ended.
shark killed member -i netbroker-r0 -w $work/files/killed.pcapng
arrive 3 "$mark"
within 10 "frames of killed" has_frames killed 3
kill -KILL "$(status_of broker.pid)"
restarts_expected=1
within 10 "the next broker" nb ping
within 10 "it goes on" captures_are 1
arrive 2 "$mark"
within 10 "frames behind" has_frames killed 5
ends killed 0 INT
after killed
equal "frames of killed" 5 "$(frames_of killed.pcapng "eth.type == 0x88b5")"
shark gone member -i netbroker-r0 -w $work/files/gone.pcapng
arrive 3 "$mark"
within 10 "frames of gone" has_frames gone 3

# A service that is away has none, and is not waited for.
stop_daemon
wait "${running[gone]}" || true
contains "what tshark says" "the service is gone" "$(cat $work/files/gone.err)"
equal "frames before" 3 "$(frames_of gone.pcapng "eth.type == 0x88b5")"
equal "interfaces without a service" "" "$(listed member)"
