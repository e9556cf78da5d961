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
