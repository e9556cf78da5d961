# shellcheck shell=bash
# For the histories, behind lib.sh and joins.sh: see history.py.
# shellcheck disable=SC2154,SC2086,SC2034 # work and tests are lib.sh's, and have no spaces

requests=${NB_REQUESTS:-1000}
flights=()
settings=(--policy "$work/policy.conf" --multicast "$work/multicast.conf")

# start_history OPTION...: the service, with five users whom the policy allows different things.
prepare_history() {
    make_users
    for user in fourth:3004 fifth:3005; do
        echo "${user%:*}:x:${user#*:}:${user#*:}::/:/bin/false" >>$work/passwd
        echo "${user%:*}:x:${user#*:}:" >>$work/group
    done
    make_topology
    show_sources
    python3 "$tests/history.py" policy >$work/policy.conf
    : >$work/multicast.conf
    settings+=("$@")
}

start_history() {
    prepare_history "$@"
    start_daemon "${settings[@]}"
    chmod 666 $socket
}

# history run|check OPTION...
history() {
    python3 "$tests/history.py" "$1" $work/model --files $work/multicast.conf "${@:2}"
}

# The service is killed as a whole, or stopped, and started again with its state file.
check_full_restart() {
    stop_daemon
    start_daemon "${settings[@]}"
    chmod 666 $socket
    history check
}

count_restarts() {
    restarts_expected=$(status_of broker_restarts)
}
