#!/bin/bash
# Wireshark's dissectors find the same in our Sampled Values and GOOSE as our decoders do, and call
# none of them malformed.
source "$(dirname "$0")/lib.sh"

tool=$build/tests/wireshark/iec61850-tool
fields=(eth.dst eth.src vlan.priority vlan.id
    sv.appid sv.reserve1.s_bit sv.noASDU sv.svID sv.datSet sv.smpCnt sv.confRev sv.smpSynch
    sv.smpRate sv.smpMod sv.meas_value sv.meas_quality goose.appid goose.reserve1.s_bit
    goose.gocbRef goose.timeAllowedtoLive goose.datSet goose.goID goose.stNum goose.sqNum
    goose.simulation goose.confRev goose.ndsCom goose.numDatSetEntries goose.boolean goose.integer
    goose.unsigned goose.bit_string goose.octet_string goose.visible_string goose.binary_time)

# agree FILE COUNT: tshark and our decoders, on so many frames, of which none is malformed.
agree() {
    local malformed

    "$tool" read "$1" >"$work/ours"
    quietly tshark -r "$1" -o sv.decode_data_as_phsmeas:TRUE -T fields \
        -E separator=';' "${fields[@]/#/-e}" >"$work/tsharks"
    equal "frames" "$2" "$(wc -l <"$work/ours")"
    cmp -s "$work/ours" "$work/tsharks" ||
        fail "not the same: $(diff "$work/ours" "$work/tsharks" | head -n 6)"
    malformed=$(quietly tshark -r "$1" -o sv.decode_data_as_phsmeas:TRUE \
        -Y '_ws.malformed || _ws.expert')
    equal "malformed frames" "" "$malformed"
}

"$tool" write "$work/frames.pcapng" 400
agree "$work/frames.pcapng" 400
"$tool" golden "$work/golden.pcapng"
agree "$work/golden.pcapng" 6
