/* The table of samples that the service plays a stream from: which segment of the stream comes
 * next, and where in the table it lies.
 *
 * A waveform whose period is a whole number of samples is one segment that is repeated for some
 * seconds, and then again: a stream ends with a process that is stopped. Others, and recordings,
 * are fed ahead in segments of a quarter of a second, whose places take turns. When what is
 * published changes at a sample, a segment begins there, and cuts what was queued before short.
 * Pure code: who makes samples, and tells the service, is another's matter. */
#ifndef NB_STREAMS_TABLES_H
#define NB_STREAMS_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#define TABLES_NEVER UINT64_MAX

enum { TABLES_LIVE_MAX = 12 }; /* segments that are not over; the service takes 16 */

/* Samples `first` to `first + count` of the table are those of the stream from `begin` on. */
struct table_segment {
    uint64_t begin;
    uint32_t first, count;
    uint32_t repeats;
    bool is_there; /* its samples are in the table, as those of the one before */
    bool cuts;     /* what was queued to begin there or later is not to be played */
};

struct tables {
    uint32_t rate, asdus;
    uint32_t period; /* samples of a segment that is repeated; 0: it is fed */
    uint32_t chunk;  /* of one that is fed */
    uint32_t capacity;
    uint64_t next; /* the number of the sample that the next segment begins with; TABLES_NEVER */
    uint64_t end;  /* no sample from there on; TABLES_NEVER */
    bool cuts, is_there;
    unsigned live, oldest;
    struct {
        uint32_t first, count;
        uint64_t end; /* the number of the sample with which it is over */
    } place[TABLES_LIVE_MAX];
};

/* The greatest common divisor; of 0 and a number, that number. */
uint64_t tables_gcd(uint64_t a, uint64_t b);

/* How many samples a waveform of this frequency, in millionths of a hertz, needs until it is the
 * same again, in whole frames; 0: more than a second has. */
uint32_t tables_period(uint32_t rate, uint32_t asdus, uint64_t microhertz);

/* Begins with nothing to be played. `capacity` says how many samples the table must have. */
void tables_begin(struct tables *tables, uint32_t rate, uint32_t asdus, uint32_t period);

/* The first sample of a frame that is not before this one. */
uint64_t tables_align(const struct tables *tables, uint64_t number);

/* From this sample on, rounded up to a frame, the stream is another one: a segment is due that
 * begins there. Returns it rounded. Also the first segment is made due so. */
uint64_t tables_change(struct tables *tables, uint64_t number);

/* The stream ends with this sample, which is not sent. */
void tables_end(struct tables *tables, uint64_t number);

/* `now`: the number of the sample that is due now; `next`: of that which the service sends next:
 * what ended before it is over, and its places are free. True: this segment is to be made now. Call
 * it until it is false. */
bool tables_next(struct tables *tables, uint64_t now, uint64_t next, struct table_segment *ret);

#endif
