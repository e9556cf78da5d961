/* The numbers of the formats: draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap. */
#ifndef NB_SAVEFILE_INTERNAL_H
#define NB_SAVEFILE_INTERNAL_H

#include "capture.h"

#define SECOND UINT64_C(1000000000) /* in ns */

#define PCAP_MAGIC_US    0xa1b2c3d4U
#define PCAP_MAGIC_NS    0xa1b23c4dU
#define BLOCK_SECTION    0x0a0d0d0aU /* the same in either byte order */
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU

enum {
    PCAP_HEADER = 24,
    PCAP_RECORD = 16,
    BLOCK_HEADER = 8,
    BLOCK_TRAILER = 4,

    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,

    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_HARDWARE = 2,
    SECTION_OS = 3,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_MAC = 6,
    INTERFACE_SPEED = 8,
    INTERFACE_RESOLUTION = 9,
    INTERFACE_FILTER = 11,
    INTERFACE_OS = 12,
    INTERFACE_FCS = 13,
    INTERFACE_OFFSET = 14,
    INTERFACE_HARDWARE = 15,
    PACKET_FLAGS = 2,
    PACKET_DROPPED = 4,
    STATISTICS_START = 2,
    STATISTICS_END = 3,
    STATISTICS_RECEIVED = 4,
    STATISTICS_DROPPED = 5,
    STATISTICS_ACCEPTED = 6,
    STATISTICS_OS_DROPPED = 7,
    STATISTICS_DELIVERED = 8,

    FILTER_TEXT = 0,   /* what a filter begins with that is libpcap's text */
    RESOLUTION_US = 6, /* of if_tsresol: a power of ten, unless the highest bit is set */
    RESOLUTION_NS = 9,
};

static inline size_t pad4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static inline uint64_t load(const unsigned char *bytes, unsigned n, bool big)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value = value << 8 | bytes[big ? i : n - 1 - i];
    return value;
}

/* --- The parts of the reader --------------------------------------------------------------- */

/* A block or record that is whole: its body, behind the header and without the trailer. */
struct block {
    struct savefile_reader *reader;
    const unsigned char *body;
    size_t length;
    size_t at; /* in the body, of what is read next */
};

/* The next number of the body; callers have looked at its length. */
static inline uint32_t block_u16(struct block *block)
{
    block->at += 2;
    return (uint32_t)load(block->body + block->at - 2, 2, block->reader->big);
}

static inline uint32_t block_u32(struct block *block)
{
    block->at += 4;
    return (uint32_t)load(block->body + block->at - 4, 4, block->reader->big);
}

/* The reader's fault is at its offset from now on; returns SAVEFILE_BROKEN. */
enum savefile_next reader_fail(struct savefile_reader *reader, uint64_t value, const char *why);

/* One block, whose length was judged, of a kind that pcapng_takes: the item, or BROKEN. */
bool pcapng_takes(uint32_t type);
enum savefile_next pcapng_parse(uint32_t type, struct block *block, struct savefile_item *ret);

/* One step through a file: an item, MORE, or BROKEN. */
enum savefile_next pcapng_next(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                               size_t *used, struct savefile_item *ret);
enum savefile_next pcap_begin(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                              size_t *used, struct savefile_item *ret);
enum savefile_next pcap_next(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                             size_t *used, struct savefile_item *ret);

/* A time in units of a resolution (if_tsresol), so many seconds later, in ns. False: it is not
 * between 1970 and 2554. */
bool savefile_time(uint8_t resolution, int64_t seconds, uint64_t value, uint64_t *ret);

#endif
