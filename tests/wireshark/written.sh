#!/bin/bash
# What is written, Wireshark's programs read without a complaint, and they read the same.
source "$(dirname "$0")/lib.sh"

# Tshark takes a second to begin: it is asked once a file.
fields=(frame.len frame.cap_len frame.time_epoch eth.src eth.type data.data
    frame.interface_name frame.interface_description frame.packet_flags frame.drop_count frame.comment)

# dissect FILE: a line a frame, with these fields
dissect() {
    quietly tshark -r "$1" -T fields -E separator=';' "${fields[@]/#/-e}" >"$work/fields"
}

# column NUMBER [SED]: of those lines that are not empty there
column() {
    cut -d ';' -f "$1" "$work/fields" | grep . | sed "${2:-}" | xargs
}

# has FILE LINE: capinfos says so.
has() {
    grep -qE "^ *$2\$" <<<"$info" || fail "$1: capinfos does not say '$2': $info"
}

# --- One file of each format --------------------------------------------------------------------

for format in pcap pcap-us pcapng; do
    file=$work/trace.$format
    "$tool" write $format "$file" 0
    info=$(quietly capinfos -M "$file")
    has "$format" "Number of packets: +20"
    has "$format" "File encapsulation: +ether"
    dissect "$file"
    equal "frames of $format" 20 "$(wc -l <"$work/fields")"
    equal "lengths of $format" "60 61 62 563 64" "$(column 1 6,\$d)"
    equal "captured lengths of $format" "60 61 62 63 64" "$(column 2 6,\$d)"
    digits=796
    [ $format != pcap-us ] || digits=000
    equal "times of $format" "1700000001.123456$digits" "$(column 3 2!d)"
    equal "sources of $format" "20 02:00:00:00:00:01;0x88b5" \
        "$(cut -d ';' -f 4,5 "$work/fields" | uniq -c | xargs)"
    equal "the last bytes of $format" 00000013 "$(column 6 "\$!d; s/.*\(.\{8\}\)/\1/")"
done

# --- What only pcapng has -----------------------------------------------------------------------

has pcapng "Capture hardware: +some processor"
has pcapng "Capture oper-sys: +Linux"
has pcapng "Capture application: +a test of netbroker"
has pcapng "Capture comment: +all of it is known"
has pcapng "Number of interfaces in file: 2"
has pcapng "Name = eth0"
has pcapng "Description = the first one"
has pcapng "Speed = 1000000000"
has pcapng "Operating system = some system"
has pcapng "Hardware = some card"
has pcapng "Capture length = 1000"
has pcapng "Time precision = nanoseconds \\(9\\)"
has pcapng "Filter string = ether proto 0x88b5"
has pcapng "Number of stat entries = 1"
equal "interfaces" "eth0 eth1 eth0" "$(column 7 4,\$d)"
equal "descriptions" "10 the first one" "$(cut -d ';' -f 8 "$work/fields" | grep . | uniq -c | xargs)"
equal "directions" "0x00000001 0x00000002 0x00000001" "$(column 9 4,\$d)"
equal "frames that were lost before one" 7 "$(column 10)"
equal "the comment of a frame" "a frame of its own" "$(column 11)"

# --- A pipe, and a ring -------------------------------------------------------------------------

cp "$work/fields" "$work/all"
dissect - < <("$tool" write pcapng - 0)
cmp -s "$work/all" "$work/fields" || fail "through a pipe: $(diff "$work/all" "$work/fields")"
"$tool" write pcapng "$work/ring.pcapng" 7
equal "files of a ring" 3 "$(find "$work" -name 'ring_0000?_*.pcapng' | wc -l)"
quietly mergecap -a -w "$work/merged.pcapng" "$work"/ring_0000?_*.pcapng
dissect "$work/merged.pcapng"
cmp -s "$work/all" "$work/fields" || fail "of a ring: $(diff "$work/all" "$work/fields")"
