#!/bin/bash
# All of this needs no root: the basic test and the takeover, as nobody.
. "$(dirname "$0")/lib.sh"

need_root "to become nobody; without, every other test is this one"

# Where nobody can read it, and the inner test's own /run does not hide it.
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /mnt/build/daemon /mnt/build/client /mnt/build/tests
cp "$build/daemon/netbrokerd" /mnt/build/daemon
cp "$build/client/netbroker" /mnt/build/client
cp -r "$build/tests/system" /mnt/build/tests
cp -r "$tests" /mnt/tests
chmod -R a+rX /mnt
for test in basic takeover; do
    env -u NB_INSIDE NB_BUILD=/mnt/build setpriv --reuid nobody --regid nogroup --clear-groups \
        bash "/mnt/tests/$test.sh"
done
