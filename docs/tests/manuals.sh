#!/bin/bash
# The manual pages are good mdoc(7), and refer to no page of ours that is not there.
set -eu
pages=("${NB_SOURCE:?}"/docs/man/*.[1-8] "${NB_BUILD:?}"/docs/*.[1-8])

if ! command -v mandoc >/dev/null; then
    echo "skipped: no mandoc"
    exit 77
fi
mandoc -T lint -W warning "${pages[@]}"
grep --no-filename -oE '^\.Xr (lib)?netbroker[^ ]* [1-8]' "${pages[@]}" | sort -u |
    while read -r _ name section; do
        if ! printf '%s\n' "${pages[@]##*/}" | grep -qxF "$name.$section"; then
            echo "there is no page $name($section)"
            exit 1
        fi
    done
