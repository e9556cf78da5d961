/* Frames of IEC 61850 that are written out, byte for byte as the standards' own structure has them,
 * with their values beside: for the tests and the seeds of the fuzzers. */
#ifndef NB_UNIT_IEC61850_FRAMES_H
#define NB_UNIT_IEC61850_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { GOLDEN_MAX = 512 };

/* 9-2LE: one ASDU, 80 samples a period, VLAN 0 with priority 4. */
#define GOLDEN_SV_LE                                                                               \
    "010ccd040001 0030a7000001 8100 8000 88ba 4000 0066 0000 0000 605c 800101 a257 3055"           \
    "8004 4d553031 8202 0f9f 8304 00000001 850102 8740"                                            \
    "000003e8 00000000 fffffc18 00000001 00000000 00000002 00000000 00002000"                      \
    "00989680 00000000 ff676980 00000000 7fffffff 00000004 80000000 00000800"

/* 61869-9: two ASDUs with all that may be there, VLAN 100 with priority 6, simulated. */
#define GOLDEN_SV_TWO                                                                              \
    "010ccd040002 020000000002 8100 c064 88ba 4001 009d 8000 0000 608192 800102 a2818c"            \
    "3044 8007 4d553032763031 8106 4c4c4e302444 8202 0000 8304 00000007 8408 65920080 8000002a"    \
    "850101 8602 12c0 8708 00000001 00000002 8802 0001 8908 0030a7fffe000001"                      \
    "3044 8007 4d553032763032 8106 4c4c4e302444 8202 0001 8304 00000007 8408 65920080 800da72a"    \
    "850101 8602 12c0 8708 00000003 00000004 8802 0001 8908 0030a7fffe000001"

/* The first frame of SV_Normal_Traffic.cap, a public capture of a merging unit (Sampled_Values of
 * M. Gadelha): 9-2LE, of which the neutrals are derived. */
#define GOLDEN_SV_UNIT                                                                             \
    "010ccd040002 cafec0ffee69 8100 8001 88ba 4001 0066 0000 0000 605c 800101 a257 3055"           \
    "8004 34303031 8202 0118 8304 00000001 850102 8740"                                            \
    "fffe5982 00000000 00043ddc 00000000 fffd6f5c 00000000 000006ba 00002000"                      \
    "ff8df400 00000000 011dfbc2 00000000 ff55600c 00000000 00014fce 00002000"

/* Of the tests of open61850 (Apache-2.0): two ASDUs of nine channels, which are no such four. */
#define GOLDEN_SV_NINE                                                                             \
    "010ccd040001 001122334455 8100 8064 88ba 4000 00cf 0000 0000 6081c4 800102 a281be"            \
    "305d 8004 53565f31 8202 0000 8304 00002710 850102 8748"                                       \
    "00000000 00000000 000003e8 00000000 000007d0 00000000 00000bb8 00000000 00000fa0 00000000"    \
    "00001388 00000000 00001770 00000000 00001b58 00000000 00001f40 00000000"                      \
    "305d 8004 53565f31 8202 0001 8304 00002710 850102 8748"                                       \
    "00000000 00000000 000003e8 00000000 000007d0 00000000 00000bb8 00000000 00000fa0 00000000"    \
    "00001388 00000000 00001770 00000000 00001b58 00000000 00001f40 00000000"

/* From a device that writes smpMod as an INTEGER, and has one channel. */
#define GOLDEN_SV_SHORT                                                                            \
    "010ccd040001 020000000002 8100 80c8 88ba 4001 0034 0000 0000 602a 800101 a225"                \
    "3023 8003 4d5531 8202 0078 8304 00000003 850102 8602 0fa0 8708 00000064 00000001 880101"

/* The first message of GOOSE.pcap among Wireshark's sample captures: a relay F650 of GE. */
#define GOLDEN_GOOSE_RELAY                                                                         \
    "010ccd010000 00a0f4083e2c 88b8 0001 0091 0000 0000 618186"                                    \
    "801a 4745446576696365463635302f4c4c4e3024474f246763623031 8103 009c40"                        \
    "8218 4745446576696365463635302f4c4c4e3024474f4f534531 830b 463635305f474f4f534531"            \
    "8408 386ebbf3 4217280a 850101 86010a 870100 880101 890100 8a0108"                             \
    "ab20 830100 8403 030000 830100 8403 030000 830100 8403 030000 830100 8403 030000"

/* Of the tests of open61850 (Apache-2.0): stNum 128 has a zero before it. */
#define GOLDEN_GOOSE_ZERO                                                                          \
    "010ccd010001 020000000001 8100 8005 88b8 1000 0050 0000 0000 6146"                            \
    "8010 49454430314c44302f4c4c4e3024474f 8102 07d0 8203 445331 8302 4731"                        \
    "8408 6955b900 8000000a 8502 0080 860100 870100 880101 890100 8a0102 ab08 8301ff 8403 030000"

/* A message of a charging station, of the tests of EVerest (Apache-2.0): most numbers have four
 * bytes, and floats none for the exponent. We write neither. */
#define GOLDEN_GOOSE_CHARGER                                                                       \
    "010ccd010001 020000000001 8100 a002 88b8 0001 00a2 0000 0000 618197"                          \
    "8015 43432f3024474f24506f7765725265717565737400 8102 2710"                                    \
    "8215 43432f3024474f24506f7765725265717565737400"                                              \
    "8315 43432f3024474f24506f7765725265717565737400"                                              \
    "8408 6361bd06 0000000a 8504 00000001 8604 00000000 870100 8804 00000000 890100 8a04 00000008" \
    "ab24 8602 0001 8602 ffff 8602 0005 8602 0000 8704 4479c000 8704 40a00000 8602 ffff 8602 ffff"

/* What libiec61850's goose_publisher_example sends, at another time. */
#define GOLDEN_GOOSE                                                                               \
    "010ccd010001 0030a7000002 8100 8000 88b8 03e8 00b8 0000 0000 6181ad"                          \
    "8029 73696d706c65494f47656e65726963494f2f4c4c4e3024474f24676362416e616c6f6756616c756573"      \
    "8102 01f4 8223 73696d706c65494f47656e65726963494f2f4c4c4e3024416e616c6f6756616c756573"        \
    "8329 73696d706c65494f47656e65726963494f2f4c4c4e3024474f24676362416e616c6f6756616c756573"      \
    "8408 65920080 4000000a 850101 860100 870100 880101 890100 8a0103"                             \
    "ab10 8502 04d2 8c06 000000000000 8502 162e"

/* Each type of MMS, structures in each other, numbers in the encoding of fixed length, simulated.
 */
#define GOLDEN_GOOSE_ALL                                                                           \
    "010ccd010002 020000000003 88b8 0001 00b0 8000 0000 6181a5"                                    \
    "8003 412f42 8105 00000007d0 8201 44 8408 00000000 00000000 8505 00ffffffff 8605 0000000080"   \
    "870101 8805 0000000001 890101 8a05 000000000b ab68"                                           \
    "830101 8403 065540 8501 80 8602 00ff 8705 0840490fdb 8709 0b400921fb54442d18"                 \
    "8903 deadbe 8a02 4f4b 8c04 0036ee80 9108 65920080 80000000"                                   \
    "a22c a109 850101 850102 850103 a200 a205 a203 830100 8d0109 8e02 0780 8f03 2a0304"            \
    "9003 c3a921 880101 8b02 3230"

/* Fills in the bytes of such a text. Returns how many there are. */
size_t golden_bytes(const char *text, uint8_t ret[GOLDEN_MAX]);

#endif
