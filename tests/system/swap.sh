#!/bin/bash
# An update under traffic: the program is replaced by another version and started again by its
# manager. No packet of any table is lost, and the new one knows all routes.
. "$(dirname "$0")/lib.sh"

program=$work/program/netbrokerd

# make_update VERSION: the same program, but that it calls itself 9.9.9.
make_update() {
    python3 - "$build/daemon/netbrokerd" "$program.new" "$1" <<'END'
import sys

old, new, version = sys.argv[1], sys.argv[2], sys.argv[3].encode()
with open(old, "rb") as file:
    program = file.read()
assert version in program
with open(new, "wb") as file:
    file.write(program.replace(version, b"9.9.9".ljust(len(version), b"9")))
END
    chmod 755 "$program.new"
}

make_topology
mkdir $work/program
cp "$build/daemon/netbrokerd" $program
chmod -R a+rX $work/program
start_managed_program $program --state $work/state/routes
version=$(status_of version)
nb mfc add --source 10.1.0.2 --group 239.1.1.1 --iif r0 --oifs r1,r2
nb mfc add --source 10.3.0.2 --group 239.1.1.2 --iif r2 --oifs r1 --table 100
nb mfc add --group 239.2.0.0/16 --iif r0 --oifs r1
nb mfc add --group ff0e::1 --iif r0 --oifs r2
flow 239.2.1.1 1 1 0
before=$(nb mfc show | awk '{print $1, $2, $3}' | sort)
within 5 "all is in the file" grep -q ff0e::1 $work/state/routes

receive default receiver1 d1 239.1.1.1 3000
receive other receiver1 d1 239.1.1.2 3000
receive learned receiver1 d1 239.2.1.1 3000
receive v6 receiver2 d2 ff0e::1 3000
send_from receiver2 d2 239.1.1.2 3000 &
for group in 239.1.1.1 239.2.1.1 ff0e::1; do
    send $group 3000 1000 &
done
sleep 0.5
make_update "$version"
mv "$program.new" "$program"
kill -TERM "$(status_of keeper.pid)"
within 5 "the manager starts the new one" grep -q "died 0" $work/notes
within 5 "it serves" nb ping
equal "the version" 9.9.9 "$(status_of version)"
for name in default other learned v6; do
    contains "packets, $name" "received 3000 lost 0 duplicates 0" "$(result $name)"
done
equal "packets counted" 3000 "$(nb --json mfc show --group 239.1.1.1 | member mfc_rules.0.packets)"
equal "packets counted of a learned route" 3001 \
    "$(nb --json mfc show --source 10.1.0.2 --group 239.2.1.1 | member mfc_rules.0.packets)"
equal "routes" "$before" "$(nb mfc show | awk '{print $1, $2, $3}' | sort)"
check_agreement
