#!/bin/bash
# Descriptors whose end takes a minute, from clients to whom no listener refused them: nobody waits
# for that, not even the end of the service. Nor do they pile up: not those of connections that are
# turned away either.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" != 0 ] || make_users # the crowd is the stranger
cat >$work/netbrokerd <<SCRIPT
#!/bin/bash
while [ ! -e $work/connected ]; do sleep 0.02; done
ulimit -n 1500
exec "$build/daemon/netbrokerd" "\$@"
SCRIPT
chmod +x $work/netbrokerd
python3 "$tests/received_fds.py" $work/connected $work/ready $work/sent &
attack=$!
printf '[limits]\nconnections-per-user = 12\n' >$work/few.conf
start_managed_program $work/netbrokerd --config $work/few.conf
touch $work/ready
within 30 "the descriptors are sent" test -e $work/sent
started=$(now_ms)
stop_daemon
at_most "milliseconds until it ended" 5000 $(($(now_ms) - started))
if grep -q "cannot be closed\|Too many open files" $work/daemon.log; then
    fail "what clients sent was not closed"
fi
wait $attack
