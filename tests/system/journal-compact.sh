#!/bin/bash
# kill -9 of the broker while its journal is compacted. See journal_compact.py.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/joins.sh"
. "$(dirname "$0")/history-lib.sh"

start_history
python3 "$tests/journal_compact.py" 4000 "${NB_ROUNDS:-8}"
count_restarts
