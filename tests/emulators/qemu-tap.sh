#!/bin/bash
# QEMU has the tap itself, as a descriptor that it inherits.
. "$(dirname "$0")/lib.sh"

need_qemu
start_links
guest_pings $netbroker tap exec --hosts $host/24 -- "${qemu[@]}" -netdev "tap,id=n0,fd={fd}"
within 10 "the interface is gone" no_tap
