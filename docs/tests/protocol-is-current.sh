#!/bin/bash
# The reference that is kept in the repository is the one that the table makes.
set -eu
kept=${NB_SOURCE:?}/docs/protocol.md
made=${NB_BUILD:?}/docs/protocol.md

if ! diff --unified=1 "$kept" "$made"; then
    echo "docs/protocol.md is not current. Renew it: cp '$made' '$kept'"
    exit 1
fi
