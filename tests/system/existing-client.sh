#!/bin/bash
# The client that was there before this service works with it unchanged.
. "$(dirname "$0")/lib.sh"

make_topology
start_daemon
python3 "$tests/existing_client.py" $socket
