#!/bin/bash
# How the command sends a set of routes: all of it behind one another without waiting for ever,
# nothing at all where the file has a mistake, and an end of the set where the service refuses a
# line. A program in the service's place says what came.
. "$(dirname "$0")/lib.sh"

fake=

# serve [REFUSED]
serve() {
    [ -z "$fake" ] || kill "$fake"
    rm -f $socket
    python3 "$tests/fake_service.py" $socket $work/diary "$@" &
    fake=$!
    within 10 "the program listens" test -S $socket
}

# replace STATUS ARGUMENT...: standard output and standard error go to $work/out and $work/err.
replace() {
    local status=0

    timeout 60 "$build/client/netbroker" mfc replace "${@:2}" >$work/out 2>$work/err || status=$?
    equal "exit status of mfc replace ${*:2}" "$1" $status
}

said() {
    contains "standard error" "$1" "$(cat $work/err)"
}

# What came, but for routes their number.
diary() {
    sed 's/^\(ADD_MFC\).*/\1/' $work/diary | uniq -c | awk '{$1 = $1; print}' | paste -sd ' '
}

routes() {
    seq "$1" | awk '{print "route group 239.1." int($1 / 250) "." $1 % 250, "iif a oifs b"}'
}

cat >$work/good <<END
# three routes
route group 239.1.1.1 iif a oifs b
route source 10.0.0.1 group 239.1.1.2 iif a oifs b,c

route group ff05::1 iif a oifs b
END

serve
replace 0 -f $work/good
equal "what came" "1 BEGIN_REPLACE 3 ADD_MFC 1 COMMIT" "$(diary)"
equal "what is said" "Routes: 1 added, 1 replaced, 1 deleted, 7 unchanged." "$(cat $work/out)"
equal "standard error" "" "$(cat $work/err)"

# From standard input, with options, as JSON.
serve
replace 0 -f - --family ipv4 --table 9 --json <$work/good
equal "what came" "1 BEGIN_REPLACE family table 3 ADD_MFC 1 COMMIT" "$(diary)"
equal "unchanged routes" 7 "$(member unchanged <$work/out)"

# A generator that failed does not delete everything.
serve
replace 1 -f - </dev/null
said "the standard input is empty; nothing was changed"
equal "what came" "" "$(diary 2>/dev/null || true)"

# The difference.
serve
replace 0 --file=$work/good --dry-run
equal "what came" "1 BEGIN_REPLACE 3 ADD_MFC 1 COMMIT dry_run" "$(diary)"
contains "the difference" "+  10.0.0.1  239.1.1.1  a    253    b" "$(cat $work/out)"
contains "the difference" "~  *         239.1.1.2  a    253    b c(ttl 9)" "$(cat $work/out)"
contains "the difference" "-  *         ff05::1    a    254    b" "$(cat $work/out)"
replace 0 -f $work/good --dry-run --json
equal "changes as JSON" deleted "$(member changes.2.change <$work/out)"

# Mistakes are all told, and nothing is asked.
serve
printf 'route group 239.1.1.1 iif a\nrout\ninterface a ttl 0\n' | cat $work/good - >$work/bad
replace 1 -f $work/bad
equal "what came" "" "$(diary)"
said "$work/bad:6: 'route' needs 'oifs'"
said "$work/bad:7: there is no statement 'rout'"
said "$work/bad:8: this takes the form 'interface NAME ttl NUMBER'"
said "netbroker: 3 mistakes in $work/bad; nothing was changed."
replace 1 -f $work/nothing-there
said "netbroker: cannot read '$work/nothing-there': No such file or directory."
replace 1 -f $work
said "netbroker: cannot read '$work': Is a directory."
replace 2
said "'mfc replace' needs --file FILE"

# The service refuses a line.
serve 239.1.1.2
replace 1 -f $work/good
equal "what came" "1 BEGIN_REPLACE 3 ADD_MFC 1 ABORT" "$(diary)"
said "$work/good:3: 239.1.1.2 is not for you."
said "netbroker: nothing was changed."
equal "standard output" "" "$(cat $work/out)"

# It ends.
serve hang-up
replace 3 -f $work/good
said "The service ended the connection."
kill $fake
rm $socket
replace 3 -f $work/good
said "Is netbrokerd running?"

# Many.
fake=
serve
routes 10000 >$work/many
replace 0 -f $work/many
equal "what came" "1 BEGIN_REPLACE 10000 ADD_MFC 1 COMMIT" "$(diary)"
kill $fake
