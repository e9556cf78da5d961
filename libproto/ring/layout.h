/* Rings of records in memory that two processes share which do not trust each other: how the memory
 * looks. It is an interface between programs: members are where they are, and new ones take the
 * place of reserved bytes.
 *
 * A ring has one writer and one reader. It has two pieces of memory, each of which one side alone
 * writes to; of a ring that the service writes, the client maps the first one for reading only:
 *
 *     capture ring    capture_control and records: the service     capture_page: the client
 *     transmit ring   transmit_control and records: the client     transmit_feedback: the service
 *
 * Records lie behind the control, at `data_offset`, in `size` bytes, which are mapped twice in a
 * row: so each record is one piece, also where the ring wraps. Positions are counts of bytes since
 * the beginning, which never wrap; a record begins at a multiple of 8 and lies at its position
 * modulo `size`. Numbers are the machine's own.
 *
 * Whoever waits stores an odd number that it has not used before in its `waiting`, and looks once
 * more; whoever publishes looks there afterwards, and rings a bell once for each odd number. So
 * each word in the memory has one writer, and neither side can be made to ring more than once for
 * what it publishes. The bell is the caller's: a descriptor that can be polled. */
#ifndef NB_RING_LAYOUT_H
#define NB_RING_LAYOUT_H

#include "order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_MAGIC = 0x676e6952, /* "Ring" in memory, where the low byte is first */
    RING_VERSION = 1,
    RING_LINE = 128,           /* bytes; what the caches of two processors take from each other */
    RING_ALIGN = 8,            /* of records */
    RING_PAGE_BYTES = 4096,    /* of each struct here that is a page */
    RING_LENGTH_MAX = 1 << 18, /* bytes of a payload */
    RING_SIZE_MAX = 1 << 30,   /* bytes of records */
#ifdef NB_RING_MODEL           /* few, so that each is used again */
    RING_SIZE_MIN = 64,
    RING_REFUSALS = 2,
    TRANSMIT_BUCKETS = 2,
#else
    RING_SIZE_MIN = 4096,
    RING_REFUSALS = 64,     /* that wait until the client reads them */
    TRANSMIT_BUCKETS = 128, /* of the histogram of lateness */
#endif
};

/* Whether records can lie in so many bytes: a power of two. The mapping needs a multiple of the
 * page as well. */
static inline bool ring_size_is_right(uint64_t size)
{
    return size >= RING_SIZE_MIN && size <= RING_SIZE_MAX && (size & (size - 1)) == 0;
}

/* Why a ring has ended. E(name, word, meaning) */
#define RING_ENDS(E)                                                                               \
    E(CLOSED, "closed", "it was given up")                                                         \
    E(REVOKED, "revoked", "the right to it was taken back")                                        \
    E(INTERFACE, "interface", "its interface is gone")                                             \
    E(SERVICE, "service", "the service stops")                                                     \
    E(INDEX, "index", "an index of the other side is out of the ring or within a record")          \
    E(RECORD, "record", "the length of a record is not within what was published")                 \
    E(LAYOUT, "layout", "the memory is not that of such a ring of this version")                   \
    E(GONE, "gone", "what it still had was not read in time, and its memory was taken back")

enum ring_end {
    RING_GOES_ON,
#define E(name, word, meaning) RING_END_##name,
    RING_ENDS(E)
#undef E
        RING_END_COUNT
};

/* The word of a reason, for lists and logs, and a sentence without its full stop. */
const char *ring_end_word(enum ring_end end);
const char *ring_end_meaning(enum ring_end end);

/* --- Capture ring -------------------------------------------------------------------------- */

enum capture_kind {
    CAPTURE_FRAME = 1, /* payload: the frame's first `length` bytes */
    CAPTURE_GAP = 2,   /* payload: struct capture_gap; before the next frame */
    CAPTURE_STATUS = 3 /* payload: struct capture_status */
};

enum capture_flags {
    CAPTURE_OUTGOING = 1 << 0,      /* this host has sent it */
    CAPTURE_HARDWARE_TIME = 1 << 1, /* the time is the interface's; else the kernel's */
    CAPTURE_VLAN_INSERTED = 1 << 2, /* a tag that the kernel had taken out is in its place again */
    CAPTURE_PROMISCUOUS = 1 << 3,   /* to another host */
    CAPTURE_CUT = 1 << 4,           /* `length` is less than `original` */
};

/* Before each payload. A record is this and the payload, up to the next multiple of 8. */
struct capture_header {
    uint32_t length;   /* bytes of the payload that is here */
    uint32_t original; /* bytes of the frame; of other kinds: `length` */
    uint64_t sequence; /* of the frame among all for this ring, also lost ones, from 0; else of the
                          next one: of a gap, the first that was lost */
    uint64_t time;     /* ns since 1970, UTC */
    uint16_t kind;     /* enum capture_kind; readers pass over kinds that they do not know */
    uint16_t flags;    /* enum capture_flags */
    uint32_t reserved; /* 0 */
};

struct capture_gap {
    uint64_t frames, bytes; /* that did not fit into the ring; bytes without headers */
};

/* What happened before the ring, since the capture began. */
struct capture_status {
    uint64_t received;       /* frames that the kernel gave to the service */
    uint64_t kernel_dropped; /* frames that it had no room for */
    uint64_t iface_dropped;  /* frames that the interface had no room for, where it says that */
    uint32_t iface_is_up;
    uint32_t reserved; /* 0 */
};

struct capture_control {
    uint32_t magic, version; /* these six do not change */
    uint64_t size;
    uint32_t data_offset;
    uint32_t length_max; /* bytes of the longest payload */
    uint64_t began;      /* ns since 1970, UTC */
    unsigned char reserved_1[RING_LINE - 32];
    _Alignas(RING_LINE) ring_index head; /* records before it are there */
    ring_index ended;                    /* enum ring_end; behind the last record */
    ring_index offered;                  /* frames so far, also those that were lost */
    unsigned char reserved[RING_PAGE_BYTES - RING_LINE - 24];
};

struct capture_page {
    _Alignas(RING_LINE) ring_index tail; /* records before it were read */
    _Alignas(RING_LINE) ring_index waiting;
    _Alignas(RING_LINE) unsigned char reserved[RING_PAGE_BYTES - 2 * RING_LINE];
};

/* --- Transmit ring ------------------------------------------------------------------------- */

/* Why a frame was not sent. R(name, word, meaning) */
#define TRANSMIT_REFUSALS(R)                                                                       \
    R(TOO_LONG, "too-long", "it is longer than the interface or the ring takes")                   \
    R(TOO_SHORT, "too-short", "it has no whole Ethernet header")                                   \
    R(FLAGS, "flags", "it has flags that this version does not know")                              \
    R(SOURCE, "source", "the sender may not use its source address")                               \
    R(DESTINATION, "destination", "the sender may not send to its destination")                    \
    R(ETHERTYPE, "ethertype", "the sender may not send its EtherType")                             \
    R(VLAN, "vlan", "the sender may not use its VLAN tag")                                         \
    R(RATE, "rate", "the sender has sent too much")                                                \
    R(KERNEL, "kernel", "the kernel did not take it")                                              \
    R(DOWN, "down", "the interface is down")                                                       \
    R(LATE, "late", "it was late by more than was allowed")                                        \
    R(TIME, "time", "its time is before that of the frame before it, or too far ahead")            \
    R(TEMPLATE, "template", "there is no template, or this one cannot be that of the stream")      \
    R(TABLE, "table", "its samples are not within the table, or their places are in use")

enum transmit_refusal_reason {
    TRANSMIT_SENT, /* it was not refused */
#define R(name, word, meaning) TRANSMIT_##name,
    TRANSMIT_REFUSALS(R)
#undef R
        TRANSMIT_REASON_COUNT
};

/* The word of a reason, for lists and logs, and a sentence without its full stop. */
const char *transmit_refusal_word(enum transmit_refusal_reason reason);
const char *transmit_refusal_meaning(enum transmit_refusal_reason reason);

/* Before each frame. A record is this and the frame, up to the next multiple of 8. */
struct transmit_header {
    uint32_t length; /* bytes of the frame */
    uint32_t flags;  /* 0; of a stream's ring: enum stream_record */
    uint64_t tag;    /* the sender's own; it comes back with a refusal */
    uint64_t time;   /* of a timed ring: when to send it, in ns from the start; else 0 */
};

/* Records of a stream: the service makes its frames, of Sampled Values, from a template and a table
 * of samples. Samples are numbered from time 0 of the ring, which is a full second. */
enum stream_record {
    STREAM_TEMPLATE = 1, /* a frame; tag: samples a second */
    STREAM_SAMPLES,      /* samples, as in an ASDU; time: the first one's place in the table */
    STREAM_PLAY,         /* struct stream_play */
    STREAM_STOP,         /* nothing; time: the number of the first sample that is not sent */
    STREAM_SYNCH,        /* one byte: smpSynch from now on */
    STREAM_RECORD_COUNT
};

enum stream_how {
    STREAM_SEND,
    STREAM_DROP,  /* its frames are counted, and not sent */
    STREAM_TWICE, /* each is sent twice */
    STREAM_HOW_COUNT
};

#define STREAM_BEHIND UINT64_MAX /* a begin: where the segment before ends */

/* A segment: samples of the table, again and again. */
struct stream_play {
    uint64_t begin;        /* the number of its first sample */
    uint32_t first, count; /* places in the table */
    uint32_t repeats;      /* how often they are sent; 0: until the next one begins */
    uint32_t how;          /* enum stream_how */
};

/* How far a stream is. */
struct stream_page {
    ring_index played;  /* segments that are over: their places in the table are free */
    ring_index next;    /* the number of the sample that is sent next */
    ring_index starved; /* how often a segment ended, and none was there to follow it */
    ring_index dropped; /* frames of segments that are not sent */
    unsigned char reserved[RING_LINE - 32];
};

/* How late the frames of a timed ring were sent, and why: a stall is a time for which the machine
 * did not run the service. A frame that was too late is a refusal, and only `latest` knows of it.
 *
 * The histogram is of ns of lateness, with four buckets for each power of two: buckets 0 to 3 are
 * 0 to 3 ns, 4 to 7 are 4 to 7 ns, 8 to 11 begin at 8, 10, 12 and 14 ns, and so on; the last one
 * has all that is longer. */
struct transmit_timing_page {
    ring_index started; /* ns since 1970, UTC, of offset 0; 0 before the first frame */
    ring_index late;    /* frames that were sent more than TRANSMIT_LATE_NS late */
    ring_index latest;  /* ns: of any frame */
    ring_index stalls, stalled_ns;
    unsigned char reserved[RING_LINE - 40];
    ring_index histogram[TRANSMIT_BUCKETS];
};

enum {
    TRANSMIT_LATE_NS = 100000,
    TRANSMIT_STALL_NS = 1000000, /* a wake-up that is later than this is a stall */
};

/* A refusal. */
struct transmit_told {
    ring_word sequence; /* of the frame among all of this ring, from 0 */
    ring_word tag;
    ring_word what; /* enum transmit_refusal_reason, flags << 16, and the frame's length << 32 */
};

struct transmit_control {
    _Alignas(RING_LINE) ring_index head; /* records before it are there */
    _Alignas(RING_LINE) ring_index waiting;
    _Alignas(RING_LINE) ring_index heard; /* refusals that were read */
    _Alignas(RING_LINE) unsigned char reserved[RING_PAGE_BYTES - 3 * RING_LINE];
};

struct transmit_feedback {
    uint32_t magic, version; /* these five do not change */
    uint64_t size;
    uint32_t data_offset;
    uint32_t length_max; /* bytes of the longest frame */
    unsigned char reserved_1[RING_LINE - 24];
    _Alignas(RING_LINE) ring_index tail; /* records before it were copied or passed over */
    unsigned char reserved_2[RING_LINE - 8];
    _Alignas(RING_LINE) ring_index waiting;
    ring_index ended; /* enum ring_end */
    unsigned char reserved_3[RING_LINE - 16];
    _Alignas(RING_LINE) ring_index judged; /* frames that were sent or refused */
    ring_index sent, sent_bytes;
    ring_index refused[16]; /* by reason */
    unsigned char reserved_4[2 * RING_LINE - 152];
    _Alignas(RING_LINE) ring_index told; /* refusals that were written to those below */
    ring_index untold;                   /* refusals for which there was no room there */
    unsigned char reserved_5[RING_LINE - 16];
    _Alignas(RING_LINE) struct transmit_told refusals[RING_REFUSALS]; /* by number, modulo */
    _Alignas(RING_LINE) struct transmit_timing_page timing;
    struct stream_page stream;
    unsigned char
        reserved[RING_PAGE_BYTES - 8 * RING_LINE - RING_REFUSALS * 24 - TRANSMIT_BUCKETS * 8];
};

#ifndef NB_RING_MODEL
#define RING_AT(type, member, offset)                                                              \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")

_Static_assert(sizeof(struct capture_header) == 32, "layout");
RING_AT(capture_header, original, 4);
RING_AT(capture_header, sequence, 8);
RING_AT(capture_header, time, 16);
RING_AT(capture_header, kind, 24);
RING_AT(capture_header, flags, 26);
_Static_assert(sizeof(struct capture_gap) == 16, "layout");
_Static_assert(sizeof(struct capture_status) == 32, "layout");
_Static_assert(sizeof(struct capture_control) == RING_PAGE_BYTES, "layout");
RING_AT(capture_control, size, 8);
RING_AT(capture_control, data_offset, 16);
RING_AT(capture_control, length_max, 20);
RING_AT(capture_control, began, 24);
RING_AT(capture_control, head, 128);
RING_AT(capture_control, ended, 136);
RING_AT(capture_control, offered, 144);
_Static_assert(sizeof(struct capture_page) == RING_PAGE_BYTES, "layout");
RING_AT(capture_page, tail, 0);
RING_AT(capture_page, waiting, 128);
_Static_assert(sizeof(struct transmit_header) == 24, "layout");
RING_AT(transmit_header, flags, 4);
RING_AT(transmit_header, tag, 8);
RING_AT(transmit_header, time, 16);
_Static_assert(sizeof(struct transmit_told) == 24, "layout");
RING_AT(transmit_told, what, 16);
_Static_assert(sizeof(struct transmit_control) == RING_PAGE_BYTES, "layout");
RING_AT(transmit_control, waiting, 128);
RING_AT(transmit_control, heard, 256);
_Static_assert(sizeof(struct transmit_feedback) == RING_PAGE_BYTES, "layout");
_Static_assert((int)TRANSMIT_REASON_COUNT <= 16, "a count for each reason");
RING_AT(transmit_feedback, tail, 128);
RING_AT(transmit_feedback, ended, 264);
RING_AT(transmit_feedback, waiting, 256);
RING_AT(transmit_feedback, judged, 384);
RING_AT(transmit_feedback, sent, 392);
RING_AT(transmit_feedback, refused, 408);
RING_AT(transmit_feedback, told, 640);
RING_AT(transmit_feedback, untold, 648);
RING_AT(transmit_feedback, refusals, 768);
RING_AT(transmit_feedback, timing, 2304);
RING_AT(transmit_feedback, stream, 3456);
_Static_assert(sizeof(struct stream_play) == 24, "layout");
RING_AT(stream_play, first, 8);
RING_AT(stream_play, repeats, 16);
RING_AT(stream_play, how, 20);
RING_AT(stream_page, next, 8);
RING_AT(stream_page, starved, 16);
RING_AT(stream_page, dropped, 24);
RING_AT(transmit_timing_page, late, 8);
RING_AT(transmit_timing_page, latest, 16);
RING_AT(transmit_timing_page, stalls, 24);
RING_AT(transmit_timing_page, stalled_ns, 32);
RING_AT(transmit_timing_page, histogram, 128);
#endif

/* Bytes of a record with so many bytes of payload, at most RING_LENGTH_MAX. */
static inline uint64_t capture_record_bytes(uint64_t length)
{
    return (sizeof(struct capture_header) + length + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

static inline uint64_t transmit_record_bytes(uint64_t length)
{
    return (sizeof(struct transmit_header) + length + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

#endif
