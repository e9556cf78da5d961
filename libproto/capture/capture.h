/* Files of captured frames: pcapng and pcap, written and read, in the formats of
 * draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap and pcap-savefile(5).
 *
 * The code is pure: it makes no system call and allocates nothing, the memory is the caller's, and
 * nothing belongs to a thread. Times are nanoseconds since 1970-01-01 00:00 UTC.
 *
 * hex.h reads frames from text: hexadecimal digits, and dumps of them. */
#ifndef NB_SAVEFILE_H
#define NB_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum savefile_format {
    SAVEFILE_PCAPNG,
    SAVEFILE_PCAP,    /* of nanoseconds */
    SAVEFILE_PCAP_US, /* of microseconds, for what reads nothing else */
};

enum {
    SAVEFILE_ETHERNET = 1,       /* LINKTYPE_ETHERNET */
    SAVEFILE_FRAME_MAX = 262144, /* bytes of a frame, as of libpcap's MAXIMUM_SNAPLEN */
    SAVEFILE_TEXT_MAX = 65535,   /* bytes of a text: an option's length has 16 bits */
    SAVEFILE_MAC_BYTES = 6,
    SAVEFILE_INTERFACES_MAX = 256, /* of a section, that are read */
    /* Bytes of a block. Those that are taken apart must be there as a whole; of others, which are
     * passed over, as many as Wireshark takes. */
    SAVEFILE_BLOCK_MAX = SAVEFILE_FRAME_MAX + 128 * 1024,
    SAVEFILE_OTHER_BLOCK_MAX = 16 << 20,
};

/* A number that is not known, and is left out of a file. */
#define SAVEFILE_UNKNOWN UINT64_MAX

/* Not terminated; length 0: there is none. UTF-8, if whoever wrote the file kept to the rules. */
struct savefile_text {
    const char *bytes;
    size_t length;
};

/* What the header of a section says of where it was captured. */
struct savefile_section {
    struct savefile_text hardware, os, application, comment;
};

struct savefile_interface {
    uint16_t linktype;
    uint32_t snaplen; /* bytes of a frame that are captured at most; 0: all */
    uint8_t fcs;      /* bytes of a check sequence at the end of each frame, mostly 0 */
    bool has_mac;
    uint8_t mac[SAVEFILE_MAC_BYTES];
    uint64_t speed; /* bits a second; 0: not known */
    struct savefile_text name, description, filter, hardware, os, comment;
};

enum savefile_direction { SAVEFILE_EITHER_WAY, SAVEFILE_INBOUND, SAVEFILE_OUTBOUND };

struct savefile_packet {
    uint32_t interface; /* of its section, by the order of their descriptions, from 0 */
    bool has_time;      /* else time is 0; for writing it is taken to be true */
    uint64_t time;
    uint32_t captured, length; /* bytes that are here, and of the frame; captured <= length */
    const unsigned char *bytes;
    enum savefile_direction direction;
    uint64_t dropped; /* frames lost since the last one of this interface; 0 also: not known */
    struct savefile_text comment;
    uint16_t linktype; /* of its interface: not for writing */
    uint8_t fcs;       /* bytes of a check sequence at its end: not for writing */
};

/* Each number may be SAVEFILE_UNKNOWN. */
struct savefile_statistics {
    uint32_t interface;
    uint64_t time;       /* of these numbers; known */
    uint64_t start, end; /* times of the capture */
    uint64_t received;   /* frames, by the interface */
    uint64_t dropped;    /* by the interface, for lack of resources */
    uint64_t accepted;   /* by the filter */
    uint64_t os_dropped; /* by the system */
    uint64_t delivered;  /* to the user */
    struct savefile_text comment;
};

static inline struct savefile_text savefile_text(const char *text)
{
    return (struct savefile_text){text, text ? strlen(text) : 0};
}

/* "EN10MB (Ethernet)"; NULL: a number that has no name here. */
const char *savefile_linktype_name(uint16_t linktype);

/* --- Writing ------------------------------------------------------------------------------- */

/* Each function puts bytes to a place of this size and returns how many, or 0 and puts nothing
 * there that counts: the place is too small, or the format cannot have it: a text is longer than
 * SAVEFILE_TEXT_MAX, more is captured than the frame is long or than SAVEFILE_FRAME_MAX, a time is
 * beyond 2106 (pcap). Numbers are little-endian on each machine. */

/* A pcapng file is a section, its interfaces, and packets of those; statistics of an interface come
 * at the end, or when they are wanted. Another section may follow. */
size_t pcapng_put_section(void *place, size_t size, const struct savefile_section *section);

/* Its times are of nanoseconds. */
size_t pcapng_put_interface(void *place, size_t size, const struct savefile_interface *interface);
size_t pcapng_put_packet(void *place, size_t size, const struct savefile_packet *packet);
size_t pcapng_put_statistics(void *place, size_t size,
                             const struct savefile_statistics *statistics);

/* A pcap file is a header and packets, of one interface. */
size_t pcap_put_header(void *place, size_t size, enum savefile_format format,
                       const struct savefile_interface *interface);
size_t pcap_put_packet(void *place, size_t size, enum savefile_format format,
                       const struct savefile_packet *packet);

/* The packet in this format, and how many bytes that takes at most. */
size_t savefile_put_packet(void *place, size_t size, enum savefile_format format,
                           const struct savefile_packet *packet);
size_t savefile_packet_size(enum savefile_format format, const struct savefile_packet *packet);

/* How many of these n bytes, which begin with a block or record that was written by the functions
 * above (no pcap_put_header), are whole ones. */
size_t savefile_whole(enum savefile_format format, const void *bytes, size_t n);

/* --- Reading ------------------------------------------------------------------------------- */

enum savefile_next {
    SAVEFILE_MORE,       /* more bytes are needed */
    SAVEFILE_SECTION,    /* an item is set: this one; pcap has none */
    SAVEFILE_INTERFACE,  /* the next one of the section; pcap has one */
    SAVEFILE_PACKET,     /* */
    SAVEFILE_STATISTICS, /* */
    SAVEFILE_BROKEN,     /* the file cannot be read any further: see fault */
};

/* Text and frames in it are in the bytes that the reader was given. */
struct savefile_item {
    union {
        struct savefile_section section;
        struct savefile_interface interface;
        struct savefile_packet packet;
        struct savefile_statistics statistics;
    };
};

struct savefile_fault {
    uint64_t offset; /* in the file, of the block or record that is wrong */
    uint64_t value;  /* what the sentence is about: a length, a number */
    const char *why; /* a sentence without its full stop, of static text */
};

/* Bytes are given from the first that was not used yet, as many as there are:
 *
 *     switch (savefile_reader_next(&reader, bytes, n, &used, &item)) ...
 *     bytes += used; n -= used;
 *
 * The members are the reader's own, but for fault. All zero at first. */
struct savefile_reader {
    uint8_t kind;     /* of file, once that is known */
    bool big;         /* the high byte of a number comes first */
    uint32_t skip;    /* bytes of a block that is passed over, to come before its last length */
    uint32_t trailer; /* that length; 0: no block is passed over */
    uint64_t offset;  /* in the file, of the next byte that is not used */
    unsigned interface_count;
    struct savefile_reader_interface {
        int64_t seconds; /* to be added to a time (if_tsoffset) */
        uint32_t snaplen;
        uint16_t linktype;
        uint8_t resolution; /* if_tsresol */
        uint8_t fcs;
    } interfaces[SAVEFILE_INTERFACES_MAX];
    struct savefile_fault fault;
};

/* Whether a file that begins with these four bytes is one of these formats. */
bool savefile_is_file(const unsigned char bytes[4]);

/* Takes the next item. Sets how many bytes were used up, also with MORE, which it never says of
 * SAVEFILE_BLOCK_MAX bytes without using some. Blocks of other kinds are passed over. */
enum savefile_next savefile_reader_next(struct savefile_reader *reader, const unsigned char *bytes,
                                        size_t n, size_t *ret_used, struct savefile_item *ret);

/* The file has ended; so many bytes were given last and not used. False: it ends within a block, or
 * is none, and fault says so. */
bool savefile_reader_end(struct savefile_reader *reader, size_t unused);

#endif
