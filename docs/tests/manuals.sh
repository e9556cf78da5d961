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

# Help stands in columns, and fits a terminal; fallbacks are numbers only where numbers are given.
client=$NB_BUILD/client/netbroker
if "$client" help | sed '/^Commands:/,/^$/!d' | grep -nE '^  [a-z][a-z ]*[A-Z]' | grep -vE '^[0-9]+:  [a-z]+( [a-z]+)*  +[A-Z]'; then
    echo "a command of 'netbroker help' runs into its text"
    exit 1
fi
for command in "" capture send replay; do
    if "$client" help $command | grep -E '^.{80}|\|.*\(default [0-9]+\)|--count TEXT'; then
        echo "'netbroker help $command' has these lines"
        exit 1
    fi
done
"$client" capture -i lo --file-bytes x 2>&1 | grep -q '^netbroker: --file-bytes takes' || {
    echo "a wrong --file-bytes is not called so"
    exit 1
}
