#!/bin/bash
# What Wireshark's programs and others write is read as they meant it.
source "$(dirname "$0")/lib.sh"

# reads WHAT FILE: as the frames are; without their times if there is a third word.
reads() {
    local expected=$work/expected

    [ $# = 2 ] || {
        sed 's/^[0-9.]*/0.000000000/' "$work/expected" >"$work/timeless"
        expected=$work/timeless
    }
    "$tool" read "$2" >"$work/read" 2>"$work/err" || fail "$1: $(cat "$work/err")"
    cmp -s "$expected" "$work/read" || fail "$1: $(diff "$expected" "$work/read" | head -n 6)"
}

# Without the frame that was cut, which text has no word for.
"$tool" write pcapng "$work/all.pcapng" 0
quietly editcap "$work/all.pcapng" "$work/frames.pcapng" 4
"$tool" read "$work/frames.pcapng" >"$work/expected"
equal "frames" 19 "$(wc -l <"$work/expected")"
equal "the first one" \
    "1700000000.123456789 60 $(quietly tshark -r "$work/frames.pcapng" -c 1 -T json -x |
        grep -m 1 -A 1 '"frame_raw"' | grep -o '[0-9a-f]\{60,\}')" \
    "$(head -n 1 "$work/expected")"

# --- Files --------------------------------------------------------------------------------------

quietly editcap -F pcapng "$work/frames.pcapng" "$work/again.pcapng"
reads "pcapng of editcap" "$work/again.pcapng"
quietly tshark -r "$work/frames.pcapng" -w "$work/tshark.pcapng"
reads "pcapng of tshark" "$work/tshark.pcapng"
quietly editcap -r "$work/frames.pcapng" "$work/begin.pcapng" 1-9
quietly editcap "$work/frames.pcapng" "$work/end.pcapng" 1-9
quietly mergecap -a -w "$work/merged.pcapng" "$work/begin.pcapng" "$work/end.pcapng"
reads "pcapng of mergecap" "$work/merged.pcapng"
cat "$work/begin.pcapng" "$work/end.pcapng" >"$work/sections.pcapng"
reads "two sections" "$work/sections.pcapng"
quietly editcap -F nsecpcap "$work/frames.pcapng" "$work/frames.ns.pcap"
reads "pcap of nanoseconds" "$work/frames.ns.pcap"
quietly editcap -F pcap "$work/frames.pcapng" "$work/frames.pcap"
sed -i 's/^\([0-9]*\.[0-9]\{6\}\)[0-9]\{3\}/\1000/' "$work/expected"
reads "pcap of microseconds" "$work/frames.pcap"
"$tool" read - <"$work/frames.pcap" >"$work/read"
cmp -s "$work/expected" "$work/read" || fail "from standard input"

# --- Text ---------------------------------------------------------------------------------------

quietly tshark -r "$work/frames.pcapng" -x >"$work/tshark.txt"
reads "tshark -x" "$work/tshark.txt" timeless
while read -r _ _ bytes; do
    echo "$bytes" | xxd -r -p | xxd
done <"$work/expected" >"$work/xxd.txt"
reads "xxd" "$work/xxd.txt" timeless
while read -r _ _ bytes; do
    echo "$bytes" | xxd -r -p | hexdump -C -v
done <"$work/expected" >"$work/hexdump.txt"
reads "hexdump -C" "$work/hexdump.txt" timeless
while read -r _ _ bytes; do
    echo "$bytes" | xxd -r -p | od -Ax -tx1 -v
done <"$work/expected" >"$work/od.txt"
reads "od" "$work/od.txt" timeless
text2pcap -q "$work/od.txt" "$work/text2pcap.pcapng" 2>/dev/null
"$tool" read "$work/text2pcap.pcapng" | cut -d ' ' -f 2- >"$work/read"
equal "what text2pcap made of it" "$(cut -d ' ' -f 2- "$work/expected")" "$(cat "$work/read")"
cut -d ' ' -f 3 "$work/expected" | sed 's/../&:/g; s/:$//' >"$work/colons.txt"
reads "digits" "$work/colons.txt" timeless
if command -v tcpdump >/dev/null; then
    for options in -xx -XX "-tttt -e -v -xx"; do
        # shellcheck disable=SC2086 # options are several
        tcpdump -n $options -r "$work/frames.pcap" 2>/dev/null >"$work/tcpdump.txt"
        reads "tcpdump $options" "$work/tcpdump.txt" timeless
    done
fi

# --- What cannot be sent ------------------------------------------------------------------------

quietly editcap -T rawip "$work/frames.pcap" "$work/raw.pcap"
status=0
"$tool" read "$work/raw.pcap" >/dev/null 2>"$work/err" || status=$?
equal "status with another link type" 1 $status
grep -q "link type RAW (IP without a link layer) cannot be sent" "$work/err" ||
    fail "another link type: $(cat "$work/err")"
