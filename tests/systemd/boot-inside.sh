#!/bin/bash
# Runs as root in a container that systemd booted, with netbrokerd installed. A member of the group
# netbroker adds a route, and the service is stopped, killed and hung in every way that a manager
# knows of, under a stream of 1,000 packets a second where none may be lost.
. "$(dirname "$0")/inside.sh"

# under_stream WHAT COMMAND...: runs the command while packets flow, 1,000 a second; none may be lost.
stream_packets=4000
under_stream() {
    local what=$1 receiver sender

    shift
    rm -f /run/received # what an earlier one wrote there says nothing of this one
    ip netns exec receiver mcreceive d1 $group $stream_packets 15 >/run/received &
    receiver=$!
    within 5 "the receiver joins" grep -q joined /run/received
    ip netns exec sender mcsend s0 $group $stream_packets 1000 8 >/run/sent &
    sender=$!
    sleep 0.4
    "$@"
    [ -e /proc/$sender ] || fail "$what: the stream ended before it was over"
    wait $sender || fail "$what: mcsend $(cat /run/sent)"
    wait $receiver || true
    equal "packets during $what" "received $stream_packets lost 0 duplicates 0 gap 0" "$(tail -n 1 /run/received)"
    check_routes "$what"
    echo "$what: $stream_packets of $stream_packets packets arrived"
}

# --- The tests --------------------------------------------------------------------------------

test_install() {
    systemd-sysusers
    systemd-tmpfiles --create
    useradd --groups netbroker member
    useradd stranger
    systemctl daemon-reload
    systemctl --quiet enable --now netbrokerd.service
    equal "the service" active "$(systemctl is-active netbrokerd.service)"
    equal "the socket" active "$(systemctl is-active netbrokerd.socket)"
    equal "the socket at the next boot" enabled "$(systemctl is-enabled netbrokerd.socket)"
    equal "the socket's mode" "660 root netbroker" "$(stat --format='%a %U %G' $socket)"
    equal "the state's mode" "700 netbroker netbroker" \
        "$(stat --format='%a %U %G' /var/lib/netbroker)"
}

# check_process NAME PID CAPABILITIES
check_process() {
    local set

    for set in CapPrm CapEff; do
        equal "the $1's $set" "$3" "$(process_member "$2" $set)"
    done
    for set in CapInh CapAmb; do
        equal "the $1's $set" 0000000000000000 "$(process_member "$2" $set)"
    done
    equal "the $1's bounding set" 0000000000003000 "$(process_member "$2" CapBnd)"
    equal "the $1's user" "$(id --user netbroker)" "$(process_member "$2" Uid)"
    equal "the $1's NoNewPrivs" 1 "$(process_member "$2" NoNewPrivs)"
    # The container has filters of its own, which this script has, too.
    [ "$(process_member "$2" Seccomp_filters)" -gt "$(process_member $$ Seccomp_filters)" ] ||
        fail "the $1 has no system call filter of the unit's"
}

test_privileges() {
    local thread

    check_process keeper "$(keeper)" 0000000000003000
    for thread in /proc/"$(broker)"/task/*; do
        check_process "broker (thread ${thread##*/})" "${thread##*/}" 0000000000000000
    done
}

test_group() {
    local status=0 refused=0

    nb mfc show | grep -q "No routes" || fail "a member of the group netbroker may not look"
    nb mfc add --source 10.1.0.2 --group $group --iif r0 --oifs r1 2>/dev/null || refused=$?
    equal "the exit status of a change that no rule allows" 1 $refused
    printf '[allow operators]\ngroup = netbroker\nverbs = mroute.write\ninterfaces = r0, r1\n' \
        >/etc/netbroker/policy.d/operators.conf
    systemctl reload netbrokerd.service
    # systemctl(1) does not wait until the service has read the files.
    within 5 "a change that a rule allows" \
        nb mfc add --source 10.1.0.2 --group $group --iif r0 --oifs r1
    all_routes=$(routes)
    equal "the kernel's routes" 1 "$(grep -c "10.1.0.2,$group" <<<"$all_routes")"
    runuser -u stranger -- netbroker ping >/dev/null 2>&1 || status=$?
    equal "the exit status for a user outside the group" 3 $status
}

kill_keeper() {
    local old start

    old=$(keeper)
    start=$(now_ms)
    kill -KILL "$old"
    within 5 "another keeper" differs keeper "$old"
    nb ping >/dev/null
    faster "kill -9 of the keeper, until the next one answers" 3000 "$start"
}

kill_broker() {
    local old start

    old=$(broker)
    start=$(now_ms)
    kill -KILL "$old"
    within 5 "another broker" differs broker "$old"
    nb ping >/dev/null
    faster "kill -9 of the broker, until the next one answers" 2000 "$start"
}

restart() {
    local start

    start=$(now_ms)
    systemctl restart netbrokerd.service
    nb ping >/dev/null
    faster "systemctl restart" 3000 "$start"
}

reload() {
    local old

    old=$(keeper)
    printf '[service]\nlog-level = debug\n' >/etc/netbroker/netbrokerd.conf
    systemctl reload netbrokerd.service
    within 5 "the reload is logged" journal_says "configuration read again"
    echo 'nonsense' >/etc/netbroker/netbrokerd.conf
    reload_fails "netbrokerd.conf:1: "
    equal "the service after a reload" active "$(systemctl is-active netbrokerd.service)"
    equal "the keeper after a reload" "$old" "$(keeper)"
    rm /etc/netbroker/netbrokerd.conf
    nb ping >/dev/null
}

# reload_fails TEXT: the check of the files says it, and the service is not told to read them.
reload_fails() {
    local status=0

    systemctl reload netbrokerd.service 2>/dev/null || status=$?
    [ $status != 0 ] || fail "a reload with a mistake succeeds"
    within 5 "the mistake is logged" journal_says "$1"
    equal "the service after a reload that failed" active "$(systemctl is-active netbrokerd.service)"
}

status_text() {
    systemctl show --property=StatusText --value netbrokerd.service
}

status_text_begins() {
    [[ "$(status_text)" == "$1"* ]]
}

# The policy names a group that is not there any more: packets go on, root is answered, nobody else.
restart_mistaken() {
    local status=0

    groupdel video
    reload_fails "operators.conf:2: 'video' is"
    nb ping >/dev/null || fail "after a reload with a mistake the old policy does not hold"
    systemctl restart netbrokerd.service
    equal "the service" active "$(systemctl is-active netbrokerd.service)"
    netbroker ping >/dev/null || fail "root is not answered"
    nb ping >/run/refusal 2>&1 || status=$?
    equal "the exit status for a member" 1 $status
    grep -q "the policy has mistakes" /run/refusal || fail "the refusal says: $(cat /run/refusal)"
    netbroker status | grep -q "root_only: true" || fail "the status does not say it"
    within 5 "the status text" status_text_begins "Serving root only; 1 route, "
    status_text | grep -q "1 mistake, the first: /etc/netbroker/policy.d/operators.conf:2: " ||
        fail "the status text is: $(status_text)"
}

test_mistake() {
    groupadd --force video
    gpasswd --add member video >/dev/null
    sed -i 's/^group = .*/group = video/' /etc/netbroker/policy.d/operators.conf
    systemctl reload netbrokerd.service
    within 5 "the status text" status_text_begins "Serving; 1 route, 0 joins, "
    all_routes_by=netbroker
    under_stream "a restart with a mistake in the policy" restart_mistaken
    all_routes_by=nb
    sed -i 's/^group = .*/group = netbroker/' /etc/netbroker/policy.d/operators.conf
    systemctl reload netbrokerd.service
    within 5 "a correct policy is in force after a reload" nb mfc show
    nb mfc show | grep -q "$group" || fail "a member does not see the route after a reload"
    within 5 "the status text" status_text_begins "Serving; 1 route, "
}

# A command line that is wrong ends each start, and the manager does not give up: it keeps the tables,
# and the next start that is right takes them over.
restart_wrong() {
    local drop_in=/run/systemd/system/netbrokerd.service.d/wrong.conf

    mkdir -p "${drop_in%/*}"
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/netbrokerd --nonsense\n' >$drop_in
    systemctl daemon-reload
    systemctl restart netbrokerd.service 2>/dev/null && fail "a start with a wrong option succeeds"
    within 10 "three starts" restarts_are 3
    rm $drop_in
    systemctl daemon-reload
    within 10 "the service" systemctl --quiet is-active netbrokerd.service
    within 5 "the service answers" nb ping
}

restarts_are() {
    [ "$(systemctl show --property=NRestarts --value netbrokerd.service)" -ge "$1" ]
}

# Another binary in the place of the running one, as a package manager puts it there.
upgrade() {
    local old start

    old=$(stat --dereference --format=%i "/proc/$(keeper)/exe")
    cp /usr/sbin/netbrokerd /usr/sbin/netbrokerd.new
    printf 'another build' >>/usr/sbin/netbrokerd.new
    mv /usr/sbin/netbrokerd.new /usr/sbin/netbrokerd
    start=$(now_ms)
    systemctl restart netbrokerd.service
    nb ping >/dev/null
    faster "the upgrade" 3000 "$start"
    [ "$(stat --dereference --format=%i "/proc/$(keeper)/exe")" != "$old" ] ||
        fail "the binary is the old one"
}

# What was acknowledged a moment before, and by whom, is in the journal, which the manager keeps: there
# was no time to write the state file.
test_journal() {
    local how source=10 leases

    for how in kill_keeper kill_broker restart upgrade; do
        nb mfc add --source 10.1.0.$((source++)) --group $group --iif r0 --oifs r1
        leases=$(nb --json leases)
        $how
        equal "the leases after $how" "$leases" "$(nb --json leases)"
        journal_says "^$((source - 9)) leases restored from the journal" ||
            fail "after $how the journal was not used"
    done
    nb mfc del --group $group --source 10.1.0.10
    kill_keeper
    while [ $((--source)) -gt 10 ]; do
        nb mfc del --group $group --source 10.1.0.$source
    done
    check_routes "deletions"
}

is_joined() {
    ip maddress show dev r0 | grep -q "$1"
}

has_no_route() {
    ! routes | grep -q "$1"
}

# The administrator's file has a range, of which the stream's route is learned, and a join.
test_configured() {
    group=239.44.1.1
    printf 'route group 239.44.0.0/16 iif r0 oifs r1\njoin group 239.44.1.1 iif r0\n' \
        >/etc/netbroker/multicast.conf
    systemctl reload netbrokerd.service
    within 5 "the group of the file is joined" is_joined 239.44.1.1
    # Each is learned by then, so that it is in what must stay.
    ip netns exec sender mcsend s0 $group 1 1000 8 >/run/sent
    within 5 "the flow is learned" grep -q "$group" <(routes)
    all_routes=$(routes)
    under_stream "kill -9 of the broker, of a learned flow" kill_broker
    under_stream "kill -9 of the keeper, of a learned flow" kill_keeper
    under_stream "an upgrade" upgrade
    # 3 streams, and the first packet.
    equal "the packets that the kernel has counted" $((3 * stream_packets + 1)) \
        "$(ip -s mroute show | tr '\n' ' ' | sed "s/.*$group)[^(]* \([0-9]*\) packets.*/\1/")"
    nb --json mfc show | tr '{' '\n' | grep "\"10.1.0.2\",\"group\":\"$group\"" |
        grep -q '"origin":"learned"' || fail "the flow is not learned any more"
    is_joined 239.44.1.1 || fail "the group of the file is not joined any more"
    rm /etc/netbroker/multicast.conf
    systemctl reload netbrokerd.service # which does not wait until it is done
    within 5 "the flow of the file is gone" has_no_route $group
    group=239.10.20.30
    all_routes=$(routes)
}

# The keeper kills it, 15 s after its last sign of life, and nobody restarts the keeper.
test_hung_broker() {
    local old old_keeper start

    old=$(broker)
    old_keeper=$(keeper)
    start=$(now_ms)
    kill -STOP "$old"
    within 20 "another broker" differs broker "$old"
    nb ping >/dev/null
    faster "SIGSTOP of the broker, until the next one answers" 17000 "$start"
    equal "the keeper of a hung broker" "$old_keeper" "$(keeper)"
    check_routes "a hang of the broker"
}

# With a shorter time than the unit's, to save time.
test_hung_keeper() {
    local old start

    equal "WatchdogSec" 20s "$(systemctl show --property=WatchdogUSec --value netbrokerd)"
    mkdir -p /run/systemd/system/netbrokerd.service.d
    printf '[Service]\nWatchdogSec=4s\n' >/run/systemd/system/netbrokerd.service.d/watchdog.conf
    systemctl daemon-reload
    systemctl restart netbrokerd.service
    old=$(keeper)
    start=$(now_ms)
    kill -STOP "$old"
    within 20 "another keeper" differs keeper "$old"
    nb ping >/dev/null
    faster "SIGSTOP of the keeper, until the next one answers" 8000 "$start"
    equal "why" watchdog "$(journalctl --no-pager --output=cat --unit=netbrokerd.service |
        grep -o "result 'watchdog'" | cut -d"'" -f2 | tail -n 1)"
    check_routes "a hang of the keeper"
}

# Then nothing of it is in the kernel. A first client starts it again, and its routes are back.
test_stop() {
    systemctl stop netbrokerd.service
    equal "how it stopped" "success 0" \
        "$(systemctl show --property=Result --value netbrokerd) $(systemctl show \
            --property=ExecMainStatus --value netbrokerd)"
    equal "the kernel's routes after the stop" "" "$(routes)"
    equal "the socket after the stop" active "$(systemctl is-active netbrokerd.socket)"
    nb mfc show | grep -q "$group" || fail "the first client's start did not bring the route back"
    check_routes "the first client's start"
    echo "a first client starts the service, with its routes"
}

# The unit lets the service at the device, and at the settings of the tap's IPv6.
test_taps() {
    local device=/dev/net/tun seen

    if [ ! -c $device ]; then
        echo "no taps: there is no $device here"
        return
    fi
    chmod 666 $device # as udev has it
    seen=$(runuser --user member -- netbroker tap exec nb-boot --hosts 192.168.0.1/24 -- \
        ip -o -4 address show nb-boot) || fail "a member gets no tap: $seen"
    [[ $seen == *192.168.0.1/24* ]] || fail "the host's address of a tap: $seen"
    seen=$(ip -o link show type tun)
    for ((i = 0; i < 50 && ${#seen} > 0; i++)); do
        sleep 0.1
        seen=$(ip -o link show type tun)
    done
    equal "taps behind it" "" "$seen"
    echo "a member's tap came and went"
}

# The unit lets the service at packet sockets. That it may lock memory, and hurry, cannot be seen in a
# container, which may neither.
test_frames() {
    local capturing

    printf '[service]\ncapture-interfaces = r0\ninject-interfaces = r0\n' >/etc/netbroker/netbrokerd.conf
    printf '[allow captures]\ngroup = netbroker\nverbs = raw.*\ninterfaces = r0\n' \
        >/etc/netbroker/policy.d/captures.conf
    systemctl restart netbrokerd.service
    nb capture --interface r0 --direction in --count 3 --write /dev/null 2>/run/captured &
    capturing=$!
    within 5 "a capture is open" is_capturing
    ip netns exec sender mcsend s0 $group 10 100 8 >/run/sent
    wait $capturing || fail "a member's capture: $(cat /run/captured)"
    echo 020000000002020000000001 88b5 "$(printf '00%.0s' {1..46})" >/run/frame
    nb replay r0 /run/frame --pps 100 --loop 20 --late 1000000 --sources any >/run/replayed 2>&1 ||
        fail "a member's replay: $(cat /run/replayed)"
    rm /etc/netbroker/netbrokerd.conf /etc/netbroker/policy.d/captures.conf
    systemctl restart netbrokerd.service
    echo "a member has captured frames, and sent some at their times"
}

is_capturing() {
    nb capture list | grep -q r0
}

mkdir -p /etc/netbroker/policy.d
make_network
test_install
test_privileges
test_group
test_taps
test_frames
under_stream "kill -9 of the keeper" kill_keeper
under_stream "kill -9 of the broker" kill_broker
under_stream "systemctl restart" restart
under_stream "systemctl reload" reload
test_mistake
stream_packets=6000
under_stream "starts with a wrong option" restart_wrong
stream_packets=4000
equal "descriptors in the manager's store: two tables, the journal" 3 \
    "$(systemctl show --property=NFileDescriptorStore --value netbrokerd)"
test_journal
test_configured
test_privileges # after all these starts, too
test_hung_broker
test_hung_keeper
test_stop
systemd-analyze security --no-pager netbrokerd.service | tail -n 1
echo "all passed"
