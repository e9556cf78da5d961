/* GOOSE: the goosePdu of IEC 61850-8-1, annex A.
 *
 * Pure code: bytes in, values out. What is pointed to is in the frame. */
#ifndef NB_IEC61850_GOOSE_H
#define NB_IEC61850_GOOSE_H

#include "iec61850/mms.h"

struct goose_message {
    struct iec_frame frame;
    struct iec_text gocb_ref, dat_set, go_id; /* go_id may be missing */
    uint32_t time_allowed_to_live;            /* ms */
    struct iec_time t;                        /* of the last change of state */
    uint32_t st_num, sq_num;
    bool simulation,
        nds_com; /* simulation: as the S bit of the frame has it; "test" in edition 1 */
    uint32_t conf_rev, entries;
    const uint8_t *all_data; /* for mms_begin: `entries` values, without a mistake */
    size_t all_data_length;
    /* Where they lie in a frame that was read, and how many bytes the numbers have. */
    const uint8_t *t_at, *st_num_at, *sq_num_at;
    uint8_t st_num_length, sq_num_length;
};

/* Reads a frame. False: it is none, and the fault says why. */
bool goose_decode(const uint8_t *bytes, size_t n, struct goose_message *ret,
                  struct iec_fault *fault);

/* Writes a frame. all_data is what mms_encode wrote. With `fixed`, numbers have five bytes whatever
 * their value (8-1, "fixed-length encoding"), so that they can be written over.
 * Returns its length; 0: the buffer is too small, or there is no frame like that. */
size_t goose_encode(const struct goose_message *message, bool fixed, uint8_t *buffer, size_t size);

#endif
