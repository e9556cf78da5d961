/* Ethernet frames over sockets, in the framings that emulators and virtual machines speak.
 *
 * A stream has no messages: each frame follows its length or, unframed, is as long as the headers
 * in it say. One decoder reads, and one encoder writes, all of the streams. On a message socket
 * each message is a frame, which is only judged and counted.
 *
 * The code is pure: it makes no system call and allocates nothing. The memory is the caller's, and
 * what a call does is constant but for the copies: of the frame, or of bytes that are no more than
 * three times those consumed since the last such copy. Nothing here belongs to a thread. */
#ifndef NB_FRAMING_H
#define NB_FRAMING_H

#include "frame/frame.h"

enum framing {
    FRAMING_U16LE,    /* length in two bytes, the low one first */
    FRAMING_U16BE,    /* length in two bytes, the high one first */
    FRAMING_U32BE,    /* length in four bytes, the high one first */
    FRAMING_MESSAGE,  /* one frame a message: SOCK_SEQPACKET or SOCK_DGRAM */
    FRAMING_UNFRAMED, /* no length: see framing_infer */
    FRAMING_COUNT,
};

enum {
    FRAME_OVERHEAD = 18,      /* bytes beside the MTU: that header and one VLAN tag */
    FRAMING_LIMIT_LEAST = 60, /* bytes; Ethernet's shortest frame, which each link must carry */
    FRAMING_HEADER_MAX = 4,   /* bytes before a frame */
    FRAMING_BATCH = 64,       /* frames that an encoder gathers */

    /* With offload (offload.h), bytes of the header, of a frame behind it, and of both: the frame
     * is IP's largest packet then. */
    OFFLOAD_HEADER = 12,
    OFFLOAD_FRAME_MAX = 65535 + FRAME_OVERHEAD,
    OFFLOAD_LIMIT = OFFLOAD_HEADER + OFFLOAD_FRAME_MAX,
};

/* --- How long a frame is ------------------------------------------------------------------- */

enum framing_found {
    FRAMING_LENGTH,  /* length is set */
    FRAMING_SHORT,   /* more bytes are needed */
    FRAMING_UNKNOWN, /* why and value are set */
};

struct framing_measure {
    uint32_t length; /* 0 where it is UNKNOWN; of the frame, without the header of the framing */
    uint32_t value;  /* what the sentence is about: a length, an EtherType, bytes of a header */
    const char *why; /* a sentence without its full stop, of static text */
};

/* Says how long the frame is that begins with these n bytes, by its own headers: IPv4, IPv6 with
 * any extension headers but a jumbogram, ARP and RARP, each within two VLAN tags at most. Padding
 * behind them is not seen. 29 bytes are never SHORT. */
enum framing_found framing_infer(const unsigned char *bytes, size_t n, struct framing_measure *ret);

/* --- The framings -------------------------------------------------------------------------- */

struct framing_row {
    const char *name;   /* as a user types it */
    const char *peers;  /* programs that speak it */
    const char *cannot; /* what it cannot carry, in words */
    bool stream;        /* else messages */
    bool offload;       /* whether frames of OFFLOAD_LIMIT can pass: offload.h */
    uint8_t header;     /* bytes before each frame */
    uint32_t frame_max; /* bytes of the largest frame that it can carry */

    /* Of a stream: the length of the frame whose header begins with these n bytes. */
    enum framing_found (*measure)(const unsigned char *bytes, size_t n,
                                  struct framing_measure *ret);
    void (*put_header)(unsigned char *bytes, uint32_t length);
};

const struct framing_row *framing_row(enum framing framing);

/* Whether there is a framing of this name. */
bool framing_parse(const char *name, enum framing *ret);

/* The limit, or what the framing can carry if that is less. */
uint32_t framing_cap(enum framing framing, uint32_t limit);

/* The longest frame of a link with this MTU: with a VLAN tag, but not more than the framing can
 * carry. */
uint32_t framing_limit(enum framing framing, uint32_t mtu);

/* Writes the header of a frame, for those who send it and the frame by writev(2), and returns how
 * many bytes it has. The frame must be judged before. */
size_t framing_header(enum framing framing, uint32_t length, unsigned char ret[FRAMING_HEADER_MAX]);

/* --- What became of frames ----------------------------------------------------------------- */

enum framing_fate {
    FRAMING_FITS,
    FRAMING_ZERO,      /* of no bytes. Some peers take one for the end, or spin: none is sent */
    FRAMING_UNDERSIZE, /* shorter than FRAME_LEAST */
    FRAMING_OVERSIZE,  /* longer than the link's limit */
    FRAMING_UNCARRIED, /* it cannot be sent unframed */
    FRAMING_INVALID,   /* its offload header says what cannot be, or may not: offload.h */
    FRAMING_DROPPED,   /* the peer does not read; the caller's own drops count here as well */
    FRAMING_FATES,
};

/* Of one direction of a link. All zero at first. */
struct framing_counts {
    uint64_t frames, bytes; /* those that fit; bytes without headers of the framing */
    uint64_t zero, undersize, oversize, uncarried, invalid, dropped; /* frames */
};

/* What a frame of this length is on a link with this limit. */
enum framing_fate framing_judge(size_t length, uint32_t limit);

/* Counts a frame of this length as what it is. */
void framing_count(struct framing_counts *counts, enum framing_fate fate, size_t length);

/* Counts one that was counted as FRAMING_FITS as what it turned out to be. */
void framing_recount(struct framing_counts *counts, enum framing_fate fate, size_t length);

/* --- Decoder: from a stream to frames ------------------------------------------------------ */

enum framing_next {
    FRAMING_FRAME,   /* here is one */
    FRAMING_MORE,    /* read more bytes */
    FRAMING_SKIPPED, /* one was not taken, and is counted; the stream goes on behind it */
    FRAMING_BROKEN,  /* where the next frame begins is not known, nor will be: end the connection */
};

struct framing_frame {
    const unsigned char *bytes; /* NULL where it was skipped */
    size_t length;
};

/* Bytes are read into the buffer, and frames are taken where they lie:
 *
 *     bytes = framing_decoder_room(&decoder, &size);
 *     n = read(fd, bytes, size);
 *     if (n > 0)
 *         framing_decoder_filled(&decoder, n);
 *     while (framing_decoder_next(&decoder, &frame) ...)
 *
 * The members are the decoder's own, but for counts and fault. */
struct framing_decoder {
    const struct framing_row *row;
    uint32_t limit;
    uint32_t skip; /* bytes of a frame that is skipped, still to come */
    unsigned char *buffer;
    size_t size;
    size_t begin, end; /* the bytes that were read and not taken */
    struct framing_counts counts;
    struct framing_measure fault; /* of a stream that is BROKEN: why and value */
};

/* The least bytes of a buffer: two frames. With sixteen times that, little is copied. */
size_t framing_decoder_least(enum framing framing, uint32_t limit);

/* Begins a stream. A limit above what the framing carries is that. False where the framing is no
 * stream, the limit is below FRAMING_LIMIT_LEAST or the buffer is smaller than the least. */
bool framing_decoder_init(struct framing_decoder *decoder, enum framing framing, uint32_t limit,
                          void *buffer, size_t size);

/* Where to read to, and up to how many bytes: a quarter of the buffer at least, if next has said
 * MORE before. It ends the life of frames that next has returned. */
unsigned char *framing_decoder_room(struct framing_decoder *decoder, size_t *ret_size);

/* So many bytes were read to there. */
void framing_decoder_filled(struct framing_decoder *decoder, size_t n);

/* Takes the next frame, which stays where it is until the next call of framing_decoder_room. */
enum framing_next framing_decoder_next(struct framing_decoder *decoder, struct framing_frame *ret);

/* Whether a stream that ends here ends within a frame. */
bool framing_decoder_is_within(const struct framing_decoder *decoder);

/* The stream has ended. Another one may begin; the counts go on. */
void framing_decoder_restart(struct framing_decoder *decoder);

/* --- Encoder: from frames to a stream ------------------------------------------------------ */

enum framing_taken {
    FRAMING_TAKEN,   /* it is behind what is pending */
    FRAMING_FULL,    /* no room, nor is anything counted: wait, or drop and count the whole frame */
    FRAMING_REFUSED, /* it cannot be sent on this link at all, and is counted */
};

/* Gathers frames for one write, and goes on where a write was partial:
 *
 *     while (framing_encoder_append(&encoder, frame, length) ...)
 *     bytes = framing_encoder_pending(&encoder, &size);
 *     n = write(fd, bytes, size);
 *     if (n > 0)
 *         framing_encoder_consume(&encoder, n);
 *
 * A frame is counted when its last byte is consumed. The members are the encoder's own, but for
 * counts. */
struct framing_encoder {
    const struct framing_row *row;
    uint32_t limit;
    unsigned char *buffer;
    size_t size;
    size_t begin, end;             /* the bytes that are pending */
    uint32_t sizes[FRAMING_BATCH]; /* of pending frames with their headers: a ring */
    unsigned first, frames;        /* in the ring */
    uint32_t sent;                 /* bytes of the first one */
    struct framing_counts counts;
};

/* The least bytes of a buffer: one frame, and what framing_encoder_reserve adds. */
size_t framing_encoder_least(enum framing framing, uint32_t limit);

/* Begins a stream, as framing_decoder_init does. */
bool framing_encoder_init(struct framing_encoder *encoder, enum framing framing, uint32_t limit,
                          void *buffer, size_t size);

/* Copies a frame behind what is pending. Unframed, what is behind the length that its headers say
 * (padding) is left out, and one that is shorter than that is refused. */
enum framing_taken framing_encoder_append(struct framing_encoder *encoder, const void *frame,
                                          size_t length);

/* The same without the copy: where to put a frame, or NULL where it is full. There is room for one
 * byte above the limit, so that whoever reads a frame to there sees that it was too long. */
unsigned char *framing_encoder_reserve(struct framing_encoder *encoder, size_t *ret_size);

/* A frame of this length is there now: FRAMING_TAKEN or FRAMING_REFUSED. */
enum framing_taken framing_encoder_commit(struct framing_encoder *encoder, size_t length);

/* What is to be written, and how many bytes: 0 for none. It stays where it is until the next append
 * or reserve. */
const unsigned char *framing_encoder_pending(const struct framing_encoder *encoder,
                                             size_t *ret_size);

/* So many bytes of it were written. */
void framing_encoder_consume(struct framing_encoder *encoder, size_t n);

/* The stream has ended: what was not wholly sent is dropped, and counted as that. Another stream
 * may begin. */
void framing_encoder_restart(struct framing_encoder *encoder);

#endif
