# shellcheck shell=bash
# What the demonstrations share: bash, sourced first.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

say() {
    printf '\n%s\n' "$*"
}

# as_user COMMAND...: without any privilege
as_user() {
    printf '   $ %s\n' "$(basename "$1") ${*:2}"
    "${user[@]}" "$@" | sed 's/^/   /'
}

# A folder that anybody may read, whatever the build's is.
cp "$build/client/netbroker" $work
chmod 755 $work/netbroker

if [ "$(id -u)" = 0 ]; then
    user=(setpriv --reuid nobody --regid nogroup --clear-groups)
else
    user=(setpriv "--inh-caps=-all" "--ambient-caps=-all")
fi
