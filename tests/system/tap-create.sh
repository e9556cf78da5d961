#!/bin/bash
# Persistent taps that an administrator makes for a user: the user opens one by its name and closes it,
# and nobody else does either; it is there when broker or keeper were killed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tap-lib.sh"

# The tap's name in its first argument, with IFF_TAP and IFF_NO_PI: what a program does that takes an
# ifname.
attach='import errno, fcntl, struct, sys
tun = open("/dev/net/tun", "r+b", buffering=0)
try:
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", sys.argv[1].encode(), 0x1002))  # TUNSETIFF
    print("attached", flush=True)
except OSError as error:
    sys.exit(errno.errorcode[error.errno])'

# attaches USER: whether a program of the user's opens nb-p by its name.
attaches() {
    as "$1" python3 -c "$attach" nb-p 2>&1 || true
}

is_killed() {
    [ "$(status_of keeper.pid)" != "$keeper" ]
}

serve
as member test -w /dev/net/tun || skip "/dev/net/tun is not for users"

said=$(nb tap create --persistent --owner member nb-p)
contains "what is said" "Tap nb-p opened." "$said"
equal "its owner in the kernel" member "$(ip -d -j link show nb-p | member 0.linkinfo.info_data.user)"
equal "its user" "$(id -u member)" "$(nb --json tap list | member taps.0.uid)"
equal "its user opens it" attached "$(attaches member)"
equal "a stranger opens it" EPERM "$(attaches stranger)"

# Another user's needs an administrator; one's own does not.
denied "a stranger closes it" nb_as stranger tap close nb-p
contains "who may not" "Only an administrator may make a tap for another user" \
    "$(nb_as member tap create --owner stranger nb-q 2>&1 || true)"
nb_as member tap create nb-q >/dev/null
equal "the owner of one's own" member "$(ip -d -j link show nb-q | member 0.linkinfo.info_data.user)"
nb_as member tap close nb-q >/dev/null

# It lasts.
kill -KILL "$(broker)"
restarts_expected=1
within 10 "the next broker" nb ping
equal "its user after the broker" "$(id -u member)" "$(nb --json tap list | member taps.0.uid)"
equal "its user opens it" attached "$(attaches member)"
keeper=$(status_of keeper.pid)
kill -KILL "$keeper"
within 20 "the next service" nb ping
is_killed || fail "the keeper was not killed"
restarts_expected=$(status_of broker_restarts)
equal "its user after the keeper" "$(id -u member)" "$(nb --json tap list | member taps.0.uid)"
equal "its user opens it" attached "$(attaches member)"
nb_as member tap close nb-p >/dev/null
within 10 "nothing is left" nothing_is_left
