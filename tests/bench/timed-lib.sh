# shellcheck shell=bash
# A service that sends at fixed times between the two ends of a veth pair, va and vb, for the benchmarks
# that are sourced into this: they say which BUILD it is.
# shellcheck disable=SC2154 # build: the script's

[ "$(id -u)" = 0 ] || {
    echo "needs root, for real-time priorities" >&2
    exit 1
}
if [ -z "${BENCH_INSIDE:-}" ]; then
    BENCH_INSIDE=1 exec unshare --net "$0" "$@"
fi

folder=$(mktemp -d)
chmod 755 "$folder"
export NETBROKER_SOCKET=$folder/socket
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add va type veth peer name vb
ip link set va up
ip link set vb up
cat >"$folder/netbrokerd.conf" <<EOF
[service]
inject-interfaces = va

[limits]
timed-rate = 1000000
timed-rate-per-user = 1000000
timed-streams-per-user = 16
EOF
cat >"$folder/policy.conf" <<EOF
[allow root all]
user = root
verbs = raw.*
EOF
# As the unit grants it; where root may not raise limits, the benchmark sets the thread's priority itself.
ulimit -l 16384 2>/dev/null || true
ulimit -r 30 2>/dev/null || export BENCH_HURRY=1
"$build/daemon/netbrokerd" --foreground --log-level error --user nobody --socket "$NETBROKER_SOCKET" \
    --config "$folder/netbrokerd.conf" --policy "$folder/policy.conf" &
service=$!
trap 'kill $service; wait $service || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
    if "$build/client/netbroker" ping >/dev/null 2>&1; then break; fi
    sleep 0.05
done

echo "$(uname -sr), $(nproc) processors, $(date +%F)"
printf '%-44s %10s %10s %-9s %5s  target\n' what netbroker bare '' ratio
