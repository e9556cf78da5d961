/* The values of a GOOSE data set, from text that is easy to type:
 *
 *     bool:true  int:-5  uint:5  float:1.5  double:1.5  bits:0110  octets:00ff
 *     string:TEXT  utf8:TEXT  time:now  time:NANOSECONDS:QUALITY
 *     {bool:true,bits:01}    a structure, whose members stand between commas
 *     [int:1,int:2]          an array
 *
 * In a list, a backslash takes the meaning from a comma, bracket or backslash behind it. Pure code.
 */
#ifndef NB_GOOSE_VALUES_H
#define NB_GOOSE_VALUES_H

#include "iec61850/mms.h"

enum {
    GOOSE_VALUES_MAX = 128, /* with those in structures and arrays */
    GOOSE_TEXT_MAX = 256,   /* bytes of one */
};

/* The members of the data set, with room for their texts: values point into it, so a copy is one
 * only as long as this is there. */
struct goose_values {
    unsigned members, count; /* of the data set; and all values, as mms_encode takes them */
    struct mms_value values[GOOSE_VALUES_MAX];
    uint8_t bytes[GOOSE_VALUES_MAX][GOOSE_TEXT_MAX];
};

/* Adds a member. now: what "now" is. Returns NULL, or what is wrong, a sentence without its full
 * stop: then nothing is added. */
const char *goose_add(struct goose_values *values, const char *text, struct iec_time now);

/* "MEMBER=VALUE", of the type that it has; members count from 1, and 2.1 is the first one of a
 * structure that is the second. n: its length. Nothing changes where it is wrong. */
const char *goose_change(struct goose_values *values, const char *text, size_t n,
                         struct iec_time now);

/* Several of those with spaces between them, which change together. spare: room to go back. */
const char *goose_change_all(struct goose_values *values, struct goose_values *spare,
                             const char *text, size_t n, struct iec_time now);

#endif
