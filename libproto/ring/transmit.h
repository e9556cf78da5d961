/* A transmit ring: a client writes frames, and the service copies each, judges the copy, and sends
 * it or says why not.
 *
 * The client can write to control and records at any time, as it likes. So the service
 * - reads each index once a look, and checks it against what it has in memory of its own;
 * - copies a record's header, checks the length of the copy, copies so many bytes to memory of its
 *   own, and only then looks at them: what the client changes afterwards is not sent;
 * - does in one turn no more than it is told to, in records and in bytes;
 * - ends the ring, with a reason, where an index or a length cannot be.
 * What the client reads (struct transmit_feedback) it cannot write to.
 *
 * For honest sides, copies and wake-ups are right by the argument of capture.h, with head and tail
 * in each other's place: the client writes to bytes only when the tail says that they were copied.
 * The refusals are a ring of their own in the other direction, with `told` for its head and `heard`
 * for its tail; the newest one is left out where there is no room, and counted.
 *
 * The code is pure: it makes no system call and allocates nothing. The memory is the caller's. A
 * writer and a reader are each for one thread at a time. tests/rings has the checks. */
#ifndef NB_RING_TRANSMIT_H
#define NB_RING_TRANSMIT_H

#include "layout.h"

/* --- Writer: the client -------------------------------------------------------------------- */

enum transmit_taken {
    TRANSMIT_TAKEN,  /* it will be seen when it is published */
    TRANSMIT_FULL,   /* no room: see transmit_writer_wait */
    TRANSMIT_LONGER, /* it is longer than the ring's limit, and never fits */
    TRANSMIT_ENDED,  /* the service has ended the ring: `end` says why */
};

/* The members are the writer's own, but for sequence, length_max and end. */
struct transmit_writer {
    struct transmit_control *control;
    ring_data *data;
    const struct transmit_feedback *feedback;
    uint64_t size;
    uint32_t length_max;
    uint64_t head, published;
    uint64_t tail;     /* the last one that was seen */
    uint64_t reserved; /* bytes of the record that is not committed */
    uint64_t sequence; /* of the next frame */
    uint64_t rung, waits, heard;
    enum ring_end end;
};

/* Begins to write to a new ring. Control and data are mapped for writing, the data twice in a row;
 * the feedback is mapped for reading. `mapped` is how many bytes of data there are. False: this is
 * no ring of this version, or of another size; `end` says so. */
bool transmit_writer_init(struct transmit_writer *writer, struct transmit_control *control,
                          ring_data *data, uint64_t mapped,
                          const struct transmit_feedback *feedback);

/* A place for a frame of this length, which is there when it was committed. The time is when to
 * send it, in ns from the start, where the ring is timed; else 0. The tag is the caller's own. A
 * place that is not committed is free again with the next call. */
enum transmit_taken transmit_writer_reserve(struct transmit_writer *writer, uint32_t length,
                                            uint64_t time, uint64_t tag, unsigned char **ret_place);

/* Returns the frame's sequence. */
uint64_t transmit_writer_commit(struct transmit_writer *writer);

/* The same with a copy of these bytes. */
enum transmit_taken transmit_writer_put(struct transmit_writer *writer, const void *bytes,
                                        uint32_t length, uint64_t time, uint64_t tag);

/* A copy of a stream's record: enum stream_record. */
enum transmit_taken transmit_writer_put_record(struct transmit_writer *writer, uint32_t record,
                                               const void *bytes, uint32_t length, uint64_t time,
                                               uint64_t tag);

/* Whether there is room for so many bytes of records now, and they will be taken. TRANSMIT_LONGER:
 * there never is. */
enum transmit_taken transmit_writer_has_room(struct transmit_writer *writer, uint64_t bytes);

/* Lets the service see all that was committed, by one store, and looks whether it has ended the
 * ring: `end` says so then. True: it waits, ring the bell. */
bool transmit_writer_publish(struct transmit_writer *writer);

/* Says that the client is about to wait for the bell until there is room for a frame of this
 * length, or a refusal to read. False: do not wait. The order is that of capture_reader_wait. */
bool transmit_writer_wait(struct transmit_writer *writer, uint32_t length);

struct transmit_refusal {
    uint64_t sequence, tag;              /* of the frame */
    uint32_t length, record;             /* record: of a stream's ring, enum stream_record */
    enum transmit_refusal_reason reason; /* one that is not known here: TRANSMIT_KERNEL */
};

/* The next refusal that was told. */
bool transmit_writer_next_refusal(struct transmit_writer *writer, struct transmit_refusal *ret);

/* What became of frames so far. The numbers need not be of one moment. */
struct transmit_counts {
    uint64_t judged, sent, sent_bytes;
    uint64_t refused[TRANSMIT_REASON_COUNT]; /* by reason */
    uint64_t untold; /* refusals that the client was not told one by one: it did not read them */
};

void transmit_writer_counts(const struct transmit_writer *writer, struct transmit_counts *ret);

/* How late frames of a timed ring were sent: see struct transmit_timing_page. */
struct transmit_timing {
    uint64_t started; /* ns since 1970, UTC, of offset 0; 0 before the first frame */
    uint64_t late, latest, stalls, stalled_ns;
    uint64_t histogram[TRANSMIT_BUCKETS];
};

void transmit_writer_timing(const struct transmit_writer *writer, struct transmit_timing *ret);

/* How far a stream is: see struct stream_page. */
struct stream_progress {
    uint64_t played, next, starved, dropped;
};

void transmit_writer_progress(const struct transmit_writer *writer, struct stream_progress *ret);

/* The lateness in ns that this share of the frames, in millionths, did not exceed: the end of a
 * bucket, so up to a quarter more than it was, but not more than the latest. 0 if none was sent. */
uint64_t transmit_timing_quantile(const struct transmit_timing *timing, uint64_t millionths);

/* The same of any durations that were counted by their buckets, of which `latest` is the longest.
 */
uint64_t transmit_quantile(const uint64_t histogram[TRANSMIT_BUCKETS], uint64_t latest,
                           uint64_t millionths);

/* The bucket for a lateness, and the greatest lateness that belongs to a bucket. */
unsigned transmit_bucket_of(uint64_t ns);
uint64_t transmit_bucket_end(unsigned bucket);

/* --- Reader: the service ------------------------------------------------------------------- */

/* The memory of a ring as the service has mapped it: all of it for writing. */
struct transmit_memory {
    const struct transmit_control *control; /* the client writes there */
    const ring_data *data; /* `size` bytes, mapped twice in a row; the client too */
    uint64_t size;         /* bytes; see ring_size_is_right */
    uint32_t data_offset;  /* of the data in its descriptor, for the client */
    uint32_t length_max;   /* bytes of the longest frame that is taken; at most RING_LENGTH_MAX */
    struct transmit_feedback *feedback;
};

enum transmit_next {
    TRANSMIT_FRAME,     /* here is a copy; say what became of it by transmit_reader_judge */
    TRANSMIT_REFUSED,   /* one was passed over, for the reason that is in it: judge it by that */
    TRANSMIT_NONE,      /* all that the turn has seen were read */
    TRANSMIT_TURN_OVER, /* there are more, for another turn */
    TRANSMIT_BROKEN,    /* the ring has ended: `end` says why, and it stays so */
};

struct transmit_frame {
    uint64_t sequence, tag, time;
    uint32_t length, record; /* record: of a stream's ring, enum stream_record; else 0 */
    enum transmit_refusal_reason reason; /* TRANSMIT_SENT: nothing speaks against it so far */
    uint64_t position;                   /* the reader's own */
};

/* The members are the reader's own, but for counts and end, and has_records until the first turn.
 */
struct transmit_reader {
    struct transmit_memory memory;
    bool has_records; /* it is a stream's: enum stream_record */
    uint64_t head;    /* the last one that was checked */
    uint64_t tail;
    uint64_t sequence;
    uint32_t records; /* that are left of the turn */
    uint64_t bytes;
    uint64_t rung, waits, told, heard;
    struct transmit_counts counts;
    enum ring_end end;
};

/* Begins a ring in this memory, which is zeros. False: a number is not right. */
bool transmit_reader_init(struct transmit_reader *reader, const struct transmit_memory *memory);

/* Begins a turn of so many records and bytes at most, of what is published now; the last record may
 * go beyond the bytes. False: the ring has ended, maybe for what was found now. */
bool transmit_reader_turn(struct transmit_reader *reader, uint32_t records, uint64_t bytes);

/* Copies the next frame of the turn to `buffer`, of `length_max` bytes. */
enum transmit_next transmit_reader_next(struct transmit_reader *reader, unsigned char *buffer,
                                        struct transmit_frame *ret);

/* Has a frame of this turn, and those behind it, read again, and judged again, in another turn:
 * they are the client's until then. None of them was told what became of. Ends the turn. */
void transmit_reader_back(struct transmit_reader *reader, const struct transmit_frame *frame);

/* Says what became of a frame that next has returned, once for each; TRANSMIT_SENT or why not. It
 * may be later and in any order. */
void transmit_reader_judge(struct transmit_reader *reader, const struct transmit_frame *frame,
                           enum transmit_refusal_reason reason);

/* The same for a frame that had a time, and how late that was seen; and for the ring: when offset 0
 * is, and that the service did not run so often, for so long in all. The client sees these at once.
 */
void transmit_reader_judge_timed(struct transmit_reader *reader, const struct transmit_frame *frame,
                                 enum transmit_refusal_reason reason, uint64_t lateness);
void transmit_reader_started(struct transmit_reader *reader, uint64_t time);
void transmit_reader_stalled(struct transmit_reader *reader, uint64_t stalls, uint64_t ns);

/* So many more frames of a stream, which the service has made, were sent or not; of `latest` the
 * greatest counts. They are counted, and not told one by one. */
struct transmit_made {
    uint64_t sent, sent_bytes;
    uint64_t refused[TRANSMIT_REASON_COUNT];
    uint64_t late, latest;
    uint64_t histogram[TRANSMIT_BUCKETS]; /* of those that were sent */
};

void transmit_reader_made(struct transmit_reader *reader, const struct transmit_made *more);
void transmit_reader_progress(struct transmit_reader *reader,
                              const struct stream_progress *progress);

/* Reads what the client was told; for the service's own lists. */
void transmit_reader_timing(const struct transmit_reader *reader, struct transmit_timing *ret);
void transmit_reader_stream(const struct transmit_reader *reader, struct stream_progress *ret);

/* Ends a turn: gives the room of what was read back, and lets the client see what became of frames.
 * True: the client waits, ring the bell. */
bool transmit_reader_release(struct transmit_reader *reader);

/* The same for a client that looks by itself: one that waits is not woken, and must be by a release
 * before long. */
void transmit_reader_tell(struct transmit_reader *reader);

/* Says that the service is about to wait for the bell. False: do not wait, there is something to
 * read, or the ring has ended. The order is that of capture_reader_wait. */
bool transmit_reader_wait(struct transmit_reader *reader);

/* Ends the ring; the first reason stays. True: the client waits, ring the bell. */
bool transmit_reader_end(struct transmit_reader *reader, enum ring_end end);

#endif
