/* What GOOSE and Sampled Values have in common on the wire (IEC 61850-8-1, annex C, and 61850-9-2,
 * clause 5): an Ethernet frame with APPID, length and two reserved words before the APDU, and the
 * time with its quality.
 *
 * Pure code: bytes in, values out. What is pointed to is in the frame. */
#ifndef NB_IEC61850_PROCESS_H
#define NB_IEC61850_PROCESS_H

#include "frame/frame.h"
#include "iec61850/ber.h"

enum {
    IEC_GOOSE = 0x88b8, /* EtherTypes */
    IEC_SV = 0x88ba,
    IEC_SIMULATED = 0x8000, /* of the first reserved word: the frame comes from a test set */
};

struct iec_text {
    const char *bytes; /* NULL: the field is not there */
    size_t length;
};

/* Why a frame is none of these, and where: offset is that of a byte of the frame. */
struct iec_fault {
    const char *why; /* a part of a sentence: "smpCnt has not 2 bytes" */
    size_t offset;
};

struct iec_frame {
    uint8_t destination[FRAME_MAC_BYTES], source[FRAME_MAC_BYTES];
    unsigned tags;
    struct frame_tag tag[FRAME_TAGS_MAX]; /* the outermost first */
    uint16_t app_id, reserved1, reserved2;
    const uint8_t *apdu; /* of a frame that was read */
    size_t apdu_length;  /* an extension of IEC 62351-6 may follow the APDU in it */
};

static inline bool iec_is_simulated(const struct iec_frame *frame)
{
    return frame->reserved1 & IEC_SIMULATED;
}

/* Reads a frame of this EtherType. What follows the length that it tells is padding. */
bool iec_read(const uint8_t *bytes, size_t n, uint16_t ethertype, struct iec_frame *ret,
              struct iec_fault *fault);

/* Puts the header of this EtherType before the APDU that was written. */
void iec_put_header(struct ber_writer *writer, const struct iec_frame *frame, uint16_t ethertype);

/* --- Time ---------------------------------------------------------------------------------- */

enum {
    IEC_TIME_BYTES = 8,
    IEC_LEAP_SECONDS_KNOWN = 0x80, /* of its quality */
    IEC_CLOCK_FAILURE = 0x40,
    IEC_CLOCK_NOT_SYNCHRONIZED = 0x20,
    IEC_ACCURACY = 0x1f, /* bits of the fraction that are right; 31: not specified */
};

struct iec_time {
    uint64_t ns; /* since 1970, rounded to the nearest */
    uint8_t quality;
};

struct iec_time iec_read_time(const uint8_t bytes[IEC_TIME_BYTES]);

/* The seconds that there is room for are 32 bits: until 2106. */
void iec_write_time(struct iec_time time, uint8_t ret[IEC_TIME_BYTES]);

/* --- For the decoders ---------------------------------------------------------------------- */

/* Says what is wrong with this byte of the frame. Returns false. */
bool iec_wrong(struct iec_fault *fault, const uint8_t *frame, const uint8_t *byte, const char *why);

static inline struct iec_text iec_text(const struct ber_item *item)
{
    return (struct iec_text){(const char *)item->bytes, item->length};
}

/* Puts a text with this tag; nothing where there is none. */
void iec_put_text(struct ber_writer *writer, uint8_t tag, struct iec_text text);

#endif
