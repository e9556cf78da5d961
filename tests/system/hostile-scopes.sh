#!/bin/bash
# The hostile brokers of hostile-broker.sh where Landlock has no scopes, which kernels before Linux 6.12 lack: the rest of the cage holds.
NB_WITHOUT_FENCES=2 exec bash "$(dirname "$0")/hostile-broker.sh"
