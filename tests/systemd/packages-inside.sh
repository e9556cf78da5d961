#!/bin/bash
# Runs as root in a container that systemd booted, with the packages in /packages. They are installed,
# upgraded, installed again and downgraded under a stream of 1,000 packets a second where none may be
# lost, and removed and purged, which may leave nothing but the user.
. "$(dirname "$0")/inside.sh"

# --- What is compared ---------------------------------------------------------------------------

# Files that others change at any time are left out: logs, caches, and the files about users, whose
# content users() prints.
files() {
    find /etc /lib /opt /srv /usr /var -xdev \
        \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
        -o -path /var/lib/systemd/random-seed -o -path /usr/local \) -prune -o \
        ! -path '/etc/passwd*' ! -path '/etc/group*' ! -path '/etc/shadow*' ! -path '/etc/gshadow*' \
        ! -path /etc/ld.so.cache ! -path '/var/tmp/*' \
        -printf '%p %y %m %u %g %l\n' | sort
    find / /run -xdev -path /packages -prune -o -name '*netbroker*' ! -path '/var/lib/dpkg/*' \
        ! -path '/var/log/*' ! -path '/usr/local/*' -print | sort
}

users() {
    getent passwd
    getent group
}

kernel() {
    routes
    ip mrule show
    ip -6 mrule show
    ip maddress show
}

units() {
    systemctl list-units --all --no-legend --plain '*netbroker*'
    systemctl list-unit-files --no-legend '*netbroker*' || true # 1 where there are none
}

packages() {
    dpkg-query --show --showformat '${Package} ${Version} ${db:Status-Status}\n'
}

# snapshot FOLDER
snapshot() {
    local what

    mkdir -p "$1"
    for what in files users kernel units packages; do
        $what >"$1/$what"
    done
}

# same WHAT: as before the first installation
same() {
    diff -u "/run/before/$1" "/run/after/$1" || fail "a purge leaves these $1"
}

# --- The stream ---------------------------------------------------------------------------------

most=200000 # packets, which would take 200 s
sent_in_all=0

# stream_during WHAT COMMAND...: runs the command while packets flow; none may be lost.
stream_during() {
    local what=$1 receiver sender sent start end

    shift
    rm -f /run/received
    ip netns exec receiver mcreceive d1 $group $most 200 >/run/received &
    receiver=$!
    within 5 "the receiver joins" grep -q joined /run/received
    ip netns exec sender mcsend s0 $group $most 1000 8 >/run/sent &
    sender=$!
    start=$(now_ms)
    sleep 0.5
    "$@" >/run/output 2>&1 || fail "$what: $(cat /run/output)"
    sleep 1
    end=$(now_ms)
    [ -e /proc/$sender ] || fail "$what: the stream ended before it was over"
    kill -TERM $sender
    wait $sender || fail "$what: mcsend $(cat /run/sent)"
    sleep 0.3
    kill -TERM $receiver
    wait $receiver || true
    sent=$(awk '{ print $2 }' /run/sent)
    sent_in_all=$((sent_in_all + sent))
    # For the receiver, those that were never sent are lost, and its longest gap.
    equal "packets during $what" "received $sent lost $((most - sent)) duplicates 0 gap $((most - sent))" \
        "$(tail -n 1 /run/received)"
    [ $((sent * 1000)) -ge $(((end - start) * 500)) ] || fail "$what: only $sent packets were sent"
    check_routes "$what"
    echo "$what: $sent of $sent packets arrived"
}

# --- The tests ----------------------------------------------------------------------------------

# version_of PACKAGE
version_of() {
    dpkg-query --show --showformat '${Version}' "$1"
}

test_install() {
    local status=0

    dpkg --install /packages/this/netbroker{,d}_*.deb
    equal "the service" "active enabled" \
        "$(systemctl is-active netbrokerd.service) $(systemctl is-enabled netbrokerd.service)"
    equal "the socket" "active enabled" \
        "$(systemctl is-active netbrokerd.socket) $(systemctl is-enabled netbrokerd.socket)"
    equal "the socket's mode" "660 root netbroker" "$(stat --format='%a %U %G' $socket)"
    equal "the state's mode" "700 netbroker netbroker" \
        "$(stat --format='%a %U %G' /var/lib/netbroker)"
    equal "the folders of configuration" "755 root root 755 root root" \
        "$(stat --format='%a %U %G' /etc/netbroker/{policy,multicast}.d | paste -sd' ')"
    netbrokerd --check-config || fail "the default configuration has a mistake"
    usermod --append --groups netbroker member
    runuser -u stranger -- netbroker ping >/dev/null 2>&1 || status=$?
    equal "the exit status for a user outside the group" 3 $status
    nb mfc show | grep -q "No routes" || fail "a member of the group may not look"
    status=0
    nb mfc add --source 10.1.0.2 --group $group --iif r0 --oifs r1 >/dev/null 2>&1 || status=$?
    equal "the exit status of a change by a member, by default" 1 $status
}

member_adds() {
    nb mfc add --source 10.1.0.2 --group 239.10.20.30 --iif r0 --oifs r1
}

is_joined() {
    ip maddress show dev r0 | grep -q "$1"
}

# A route that a user added, one that is learned for the administrator's range, one in a table of its
# own with a rule that leads to it, and a join.
make_routes() {
    printf '[allow operators]\ngroup = netbroker\nverbs = mroute.write\n' \
        >/etc/netbroker/policy.d/operators.conf
    printf 'route group 239.44.0.0/16 iif r0 oifs r1\njoin group 239.44.1.1 iif r0\n' \
        >/etc/netbroker/multicast.conf
    sed -i '1i# changed by the administrator' /etc/netbroker/netbrokerd.conf
    systemctl reload netbrokerd.service
    within 5 "a member adds a route" member_adds
    netbroker mfc add --table 100 --source 10.3.0.2 --group 239.9.9.9 --iif x0 --oifs x1
    within 5 "the group of the file is joined" is_joined 239.44.1.1
    group=239.44.1.1
    ip netns exec sender mcsend s0 $group 1 1000 8 >/run/sent
    sent_in_all=1
    within 5 "the flow is learned" grep -q "$group" <(routes)
    all_routes=$(routes)
    ip mrule show | grep -q 'lookup 100' || fail "no rule leads to table 100"
    descriptors=$(systemctl show --property=NFileDescriptorStore --value netbrokerd)
}

# stores COUNT: so many descriptors are in the manager's store.
stores() {
    [ "$(systemctl show --property=NFileDescriptorStore --value netbrokerd)" = "$1" ]
}

# check_running VERSION KEEPER: the service is this version's, and not the process of before.
check_running() {
    equal "the version" "$1" "$(version_of netbrokerd)"
    differs keeper "$2" || fail "the service was not restarted"
    [ -e "$(readlink "/proc/$(keeper)/exe")" ] || fail "the service runs a program that is gone"
    within 5 "the group of the file is joined" is_joined 239.44.1.1
    ip mrule show | grep -q 'lookup 100' || fail "no rule leads to table 100 any more"
    within 5 "the descriptors of before are in the manager's store" stores "$descriptors"
    head -n 1 /etc/netbroker/netbrokerd.conf | grep -q "changed by the administrator" ||
        fail "a changed configuration file was replaced"
}

# policy_begins TEXT: the policy, a conffile that nobody changed
policy_begins() {
    head -n 1 /etc/netbroker/policy.conf | grep -q "$1" || fail "the policy is not this version's"
}

test_upgrades() {
    local version old

    version=$(version_of netbrokerd)
    old=$(keeper)
    stream_during "the first installation of the other packages" \
        dpkg --install /packages/this/libnetbroker*.deb
    equal "the keeper" "$old" "$(keeper)"
    stream_during "an upgrade" dpkg --install /packages/next/*.deb
    check_running "$version+next" "$old"
    policy_begins "the next version"
    [ "$(systemctl show --property=NeedDaemonReload --value netbrokerd)" = no ] ||
        fail "the manager has not read the next version's unit"
    old=$(keeper)
    stream_during "an installation again" dpkg --install /packages/next/*.deb
    check_running "$version+next" "$old"
    old=$(keeper)
    stream_during "a downgrade" dpkg --install --force-downgrade /packages/this/*.deb
    check_running "$version" "$old"
    # What the kernel counted, so that no packet came by another way.
    equal "the packets that the kernel has counted" $sent_in_all "$(ip -s mroute show |
        tr '\n' ' ' | sed "s/.*$group)[^(]* \([0-9]*\) packets.*/\1/")"
}

# What an administrator has disabled stays so.
test_disabled() {
    systemctl --quiet disable --now netbrokerd.service netbrokerd.socket
    dpkg --install /packages/next/netbrokerd_*.deb
    equal "a disabled service after an upgrade" "inactive disabled" \
        "$(systemctl is-active netbrokerd.service || true) $(systemctl is-enabled \
            netbrokerd.service || true)"
    systemctl --quiet enable --now netbrokerd.service
    within 5 "the learned flow's range is back" is_joined 239.44.1.1
}

# nothing_runs WHEN
nothing_runs() {
    local comm

    for comm in /proc/[0-9]*/comm; do
        ! grep -qs '^netbroker' "$comm" || fail "after $1 runs: $comm $(cat "$comm")"
    done
    equal "the kernel after $1" "$(cat /run/before/kernel)" "$(kernel)"
    [ ! -e /run/netbroker ] || fail "after $1 there is /run/netbroker"
}

test_remove() {
    dpkg --remove netbrokerd
    nothing_runs "a removal"
    [ -s /etc/netbroker/policy.d/operators.conf ] || fail "a removal deleted configuration"
    [ -s /var/lib/netbroker/state ] || fail "a removal deleted the state"
    dpkg --install /packages/next/netbrokerd_*.deb
    equal "the service" active "$(systemctl is-active netbrokerd.service)"
    nb mfc show | grep -q 239.10.20.30 || fail "a user's route is not back after a removal"
    ip mroute show table 100 | grep -q 239.9.9.9 || fail "the route of table 100 is not back"
}

test_purge() {
    dpkg --purge netbrokerd netbroker libnetbroker-dev libnetbroker0
    nothing_runs "a purge"
    snapshot /run/after
    same files
    same units
    same packages
    equal "the users that a purge leaves" "netbroker" \
        "$(diff /run/before/users /run/after/users | sed -n 's/^[<>] \([^:]*\):.*/\1/p' | sort -u)"
    equal "their shell" /usr/sbin/nologin "$(getent passwd netbroker | cut -d: -f7)"
    equal "files of theirs" "" "$(find / /run -xdev \( -user netbroker -o -group netbroker \) 2>&1)"
}

useradd member
useradd stranger
make_network
ip link add x0 type veth peer name x1
ip link set x0 up
ip link set x1 up
sleep 1 # what the kernel does with the interfaces is over
snapshot /run/before
test_install
make_routes
test_upgrades
test_disabled
test_remove
test_purge
echo "all passed"
