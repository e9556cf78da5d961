#!/bin/bash
# Without --foreground the command returns when the service serves, and not before.
. "$(dirname "$0")/lib.sh"

for ((i = 0; i < 5; i++)); do
    "${as_daemon[@]}" "$build/daemon/netbrokerd" --socket $socket
    nb ping # at once
    keeper=$(status_of keeper.pid)
    kill -TERM "$keeper"
    within 10 "netbrokerd ends" test ! -e "/proc/$keeper/status"
done

# What is logged goes to syslogd, whoever is it: of the keeper, and of brokers, which connect to none.
mkdir $work/dev
mount -t tmpfs tmpfs $work/dev
for file in null urandom tty; do
    touch $work/dev/$file
    mount --bind /dev/$file $work/dev/$file
done
# An ordinary user's mounts may have no devices, and nothing runs without /dev/null.
bash -c ": >$work/dev/null" 2>$work/devices || skip "devices cannot be used on a mount of our own"
mount --rbind $work/dev /dev
bash -c ': >/dev/null' 2>$work/devices || skip "devices cannot be used on a mount of our own"

# syslogd FILE
syslogd() {
    rm -f /dev/log
    python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
os.chmod("/dev/log", 0o666)
print("<syslogd>", flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)' >"$1" &
    syslogd=$!
    within 5 "syslogd" grep -q syslogd "$1"
}

syslogd $work/syslog1
"${as_daemon[@]}" "$build/daemon/netbrokerd" --socket $socket
nb mfc add --group 239.1.1.1 --iif lo --oifs lo >/dev/null
within 5 "a line of the broker" grep -qE "^<29>.* netbrokerd\[$(status_of broker.pid)\]: audit granted" \
    $work/syslog1
kill $syslogd
syslogd $work/syslog2
sleep 4 # the keeper connects again, with the broker's next sign of life
nb mfc del --group 239.1.1.1 >/dev/null
within 5 "another line" grep -q "audit released" $work/syslog2
kill -KILL "$(status_of broker.pid)"
within 5 "a line of the keeper" grep -q "was killed by signal 9" $work/syslog2
within 10 "the next broker" nb ping
within 5 "its line" grep -q "netbrokerd\[$(status_of broker.pid)\]: policy read" $work/syslog2
kill -TERM "$(status_of keeper.pid)"
