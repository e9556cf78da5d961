#!/bin/bash
# The memory order of both rings, by Relacy: see model.cpp.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '#include <relacy/relacy.hpp>' | g++ -std=c++14 -fsyntax-only -w -x c++ - 2>/dev/null || {
    echo "skipped: there is no g++ with Relacy (relacy-dev)"
    exit 77
}
for model in CAPTURE TRANSMIT; do
    g++ -std=c++14 -O1 -w -DMODEL_$model -I"$here" -I"$here/../../libproto" -o "$work/$model" \
        "$here/model.cpp"
    echo "$model"
    "$work/$model" "${1:-20000}"
done
