#!/bin/bash
# Configuration, policy and routes alike: a file that others than root may have written, or may have
# put there, is not used, neither at a start nor when it is read again.
. "$(dirname "$0")/lib.sh"

make_users
mkdir -m 755 $work/etc $work/etc/deep

contents() {
    case $1 in
    config) printf '[limits]\nidle-seconds = 60\n' ;;
    policy) printf '[allow x]\neveryone = yes\nverbs = *.read\n' ;;
    multicast) echo 'route group 239.1.1.1 iif lo oifs lo' ;;
    esac
}

# check KIND PATH: the exit status is the check's.
check() {
    "$build/daemon/netbrokerd" --check-config "--$1" "$2" >$work/out 2>&1
}

# not_used WHAT REASON [PATH]: of each kind of file, which is made anew for the next one.
not_used() {
    local path=${3:-$work/etc/deep/$kind.conf}

    if check $kind "$path"; then
        fail "$kind, $1: it is used"
    fi
    contains "the mistake of $kind, $1" "file $path is not used: $2" "$(cat $work/out)"
    make_file
}

make_file() {
    rm -rf $work/etc/deep $work/etc/link $work/link
    mkdir -m 755 $work/etc/deep
    chmod 755 $work/etc
    chown root:root $work/etc
    file=$work/etc/deep/$kind.conf
    contents $kind >"$file"
}

for kind in config policy multicast; do
    make_file
    check $kind "$file" || fail "$kind: a good file is not used: $(cat $work/out)"
    chown stranger "$file"
    not_used "a stranger's" "it must belong to root"
    chmod 664 "$file"
    not_used "a group may write it" "nobody but root may have write permission"
    chmod 646 "$file"
    not_used "everybody may write it" "nobody but root may have write permission"
    mv "$file" $work/etc/deep/real
    ln -s real "$file"
    not_used "a link" "it is a symbolic link"
    rm "$file"
    mkfifo "$file"
    not_used "a FIFO" "it is not a regular file"

    # Who may write a folder above it may replace it.
    chmod 777 $work/etc/deep
    not_used "in a folder that everybody may write" \
        "$work/etc/deep: nobody but root may have write permission"
    chmod 775 $work/etc
    not_used "below a folder that a group may write" \
        "$work/etc: nobody but root may have write permission"
    chown stranger $work/etc
    not_used "below a stranger's folder" "$work/etc: it must belong to root"
    chmod 1777 $work/etc
    check $kind "$file" || fail "$kind: in a folder with the sticky bit: $(cat $work/out)"
    as stranger ln -s $work/etc/deep $work/etc/link
    not_used "by a stranger's link" "$work/etc/link: it must belong to root" $work/etc/link/$kind.conf

    # A link leads by folders that the path does not name.
    ln -s etc/../etc/deep $work/link
    check $kind $work/link/$kind.conf || fail "$kind: by root's link: $(cat $work/out)"
    chmod 777 $work/etc
    not_used "by a link through a folder that everybody may write" \
        "$work/etc: nobody but root may have write permission" $work/link/$kind.conf
    cd $work/etc
    check $kind deep/$kind.conf || fail "$kind: from the working folder: $(cat $work/out)"
    chmod 777 $work/etc
    not_used "from the working folder" "$work/etc: nobody but root" deep/$kind.conf
    cd /
done

# At a start and at a reload.
kind=config
make_file
chmod 646 "$file"
start_daemon --config "$file"
equal "root_only" true "$(status_of root_only)"
contains "the mistakes" "is not used: nobody but root" "$(status_of mistakes)"
equal "the limit of a file that is not used" 30 "$(status_of limits.idle_seconds)"
chmod 644 "$file"
kill -HUP "$daemon"
within 10 "the corrected file" grep -q "configuration read again" $work/daemon.log
equal "the limit" 60 "$(status_of limits.idle_seconds)"
equal "root_only" false "$(status_of root_only)"
printf '[limits]\nidle-seconds = 70\n' >"$file"
chmod 777 $work/etc/deep
kill -HUP "$daemon"
within 10 "the reload" grep -q "the configuration stays as it was" $work/daemon.log
equal "the limit after a file that others may have put there" 60 "$(status_of limits.idle_seconds)"
chmod 755 $work/etc/deep
