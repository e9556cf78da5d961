/* A capture ring: the service writes records, and one client reads them where they lie.
 *
 * A reader that is too slow loses the newest frames; it disturbs nobody, and is told in the stream
 * how many it lost. The service reads two words that the client can write, each once a look: the
 * tail, which is checked, and whether the client waits, which decides if a bell rings. It reads no
 * other byte of the memory, so whatever a client writes costs only that client.
 *
 * Why there is no sequence lock: the writer writes to bytes only when the reader has said that it
 * is done with them. The reader's loads come before its store of the tail (release), which the
 * writer loads (acquire) before it stores there; the writer's stores come before its store of the
 * head (release), which the reader loads (acquire) before it loads there. So no byte is written
 * while it is read, and plain copies are right. A client that stores a tail without having read
 * harms itself: it cannot write to the memory, and reads what was meant for it in any case.
 *
 * Why no wake-up is lost: the reader stores `waiting` and then loads the head; the writer stores
 * the head and then loads `waiting`. A fence (seq_cst) between the two on each side makes one of
 * them see the other's store.
 *
 * Some seconds behind the end of a ring that is not read the service takes the memory back, which
 * is zeros then, the control before the records: a reader finds that its ring is gone.
 *
 * The code is pure: it makes no system call and allocates nothing. The memory is the caller's. A
 * writer and a reader are each for one thread at a time. tests/rings has the checks of this
 * argument. */
#ifndef NB_RING_CAPTURE_H
#define NB_RING_CAPTURE_H

#include "layout.h"

/* --- Writer: the service ------------------------------------------------------------------- */

/* The memory of a ring as the service has mapped it: all of it for writing. */
struct capture_memory {
    struct capture_control *control;
    ring_data *data;      /* `size` bytes, mapped twice in a row */
    uint64_t size;        /* bytes; see ring_size_is_right */
    uint32_t data_offset; /* of the data in its descriptor, for the client */
    struct capture_page *page;
};

/* What is known of a frame. */
struct capture_frame {
    uint32_t length;   /* bytes that go into the ring */
    uint32_t original; /* bytes that it had */
    uint64_t time;     /* ns since 1970, UTC */
    uint16_t flags;    /* enum capture_flags; CAPTURE_CUT is set here */
};

/* Since the ring began. */
struct capture_counts {
    uint64_t frames, bytes;           /* that are in the ring, or were; bytes of payload */
    uint64_t lost_frames, lost_bytes; /* that did not fit */
    uint64_t lies;                    /* tails that cannot be, and were not believed */
};

/* The members are the writer's own, but for counts. */
struct capture_writer {
    struct capture_memory memory;
    uint64_t head, published; /* records up to there are written, and can be seen */
    uint64_t tail;            /* the last one that was believed */
    uint64_t rung;            /* the number in `waiting` that the bell has rung for */
    uint64_t sequence;
    uint64_t reserved; /* bytes of the record that is not committed, and of its payload */
    uint32_t reserved_length;
    struct capture_gap gap;
    uint64_t gap_time;
    struct capture_counts counts;
};

/* Begins a ring in this memory, which is zeros. False: the size is not right. The time is written
 * to the control, in ns since 1970. */
bool capture_writer_init(struct capture_writer *writer, const struct capture_memory *memory,
                         uint64_t began);

/* A place for the frame's `length` bytes, or NULL: it is lost, and counted. It stays where it is
 * until the next call; the frame is there when it was committed, and can be seen when that was
 * published. What is not committed is dropped, without a count. The client may look at the bytes
 * before: write only what it may see. */
unsigned char *capture_writer_reserve(struct capture_writer *writer,
                                      const struct capture_frame *frame);
void capture_writer_commit(struct capture_writer *writer);

/* The same with a copy of these bytes. False: it is lost, and counted. */
bool capture_writer_put(struct capture_writer *writer, const struct capture_frame *frame,
                        const void *bytes);

/* Adds the counters at this time. False: there is no room; they are kept by the caller, as they
 * grow only, and told later. */
bool capture_writer_status(struct capture_writer *writer, uint64_t time,
                           const struct capture_status *status);

/* Lets the client see all that was committed, by one store, and a gap that it was not told of if
 * there is room now: to be called at times also without frames. True: the client waits, ring the
 * bell. */
bool capture_writer_publish(struct capture_writer *writer);

/* Whether the client says that it has read all that was published. */
bool capture_writer_was_read(const struct capture_writer *writer);

/* Publishes, and ends the ring: the client learns the reason behind the last record. True: ring the
 * bell. Nothing is written to the memory afterwards, but for what is committed in spite of it. */
bool capture_writer_end(struct capture_writer *writer, enum ring_end end);

/* --- Reader: the client -------------------------------------------------------------------- */

enum capture_next {
    CAPTURE_RECORD, /* here is one */
    CAPTURE_NONE,   /* all were read: see capture_reader_wait */
    CAPTURE_ENDED,  /* there will be no more: `end` says why */
    CAPTURE_BROKEN, /* what is there cannot be in a ring: `end` says why, and it stays so */
};

struct capture_record {
    struct capture_header header; /* a copy, whose length was checked */
    const unsigned char *payload; /* in the ring: header.length bytes, aligned to 8 */
};

/* The members are the reader's own, but for end and untold. */
struct capture_reader {
    const struct capture_control *control;
    const ring_data *data;
    struct capture_page *page;
    uint64_t size;
    uint64_t head; /* the last one that was seen */
    uint64_t next, released;
    uint64_t waits;
    uint64_t sequence; /* of the next frame, if it has begun */
    uint64_t untold;   /* of a ring that has ended: frames lost at last, of which no gap told */
    bool has_begun, is_broken;
    enum ring_end end;
};

/* Begins to read, at the records that were not released before. The control and the data are mapped
 * for reading, the data twice in a row; the page is mapped for writing. `mapped` is how many bytes
 * of data there are. False: this is no ring of this version, or of another size; `end` says so. */
bool capture_reader_init(struct capture_reader *reader, const struct capture_control *control,
                         const ring_data *data, uint64_t mapped, struct capture_page *page);

/* The next record. Its payload stays as it is until capture_reader_release, or until the service
 * takes the memory of a ring back that ended some seconds ago. */
enum capture_next capture_reader_next(struct capture_reader *reader, struct capture_record *ret);

/* Gives the room of all records that next has returned back to the writer: as often as suits, such
 * as after each batch. */
void capture_reader_release(struct capture_reader *reader);

/* Says that the client is about to wait for the bell. False: do not wait, there is something to
 * read. When the bell has rung, clear it (read the descriptor), then read records until there are
 * none, then call this again: in this order no wake-up is lost. A bell may ring without need. */
bool capture_reader_wait(struct capture_reader *reader);

/* --- One record ---------------------------------------------------------------------------- */

/* Whether a record of this header can lie in the bytes that are published behind its beginning. */
bool capture_header_fits(const struct capture_header *header, uint64_t published);

#endif
