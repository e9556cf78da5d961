#!/bin/bash
# The manual pages are good mdoc(7), refer to no page of ours that is not there, and know every
# option of the service.
set -eu
pages=("${NB_SOURCE:?}"/docs/man/*.[1-8] "${NB_BUILD:?}"/docs/*.[1-8])

if ! command -v mandoc >/dev/null; then
    echo "skipped: no mandoc"
    exit 77
fi
mandoc -T lint -W warning "${pages[@]}"
# A heading whose first word is a macro of mdoc(7), such as "In", needs "\&" before it.
for page in "${pages[@]}"; do
    sed -n 's/^\.S[hs] \(\\&\)\{0,1\}//p' "$page" | while read -r heading; do
        if ! mandoc -T ascii "$page" | sed 's/.\x08//g; s/^ *//' | grep -qxF "$heading"; then
            echo "${page##*/}: the heading '$heading' is not rendered as it is written"
            exit 1
        fi
    done
done
grep --no-filename -oE '^\.Xr (lib)?netbroker[^ ]* [1-8]' "${pages[@]}" | sort -u |
    while read -r _ name section; do
        if ! printf '%s\n' "${pages[@]##*/}" | grep -qxF "$name.$section"; then
            echo "there is no page $name($section)"
            exit 1
        fi
    done

"$NB_BUILD/daemon/netbrokerd" --help | grep -oE -e '--[a-z-]+' | while read -r option; do
    if ! grep -qE "^\.It Fl . , -${option#--}( |$)" "$NB_SOURCE/docs/man/netbrokerd.8"; then
        echo "netbrokerd(8) does not tell of $option"
        exit 1
    fi
done
