/* The timing of a transmit ring, both sides of it: see transmit.h. Each word on the page has one
 * writer, the service's reader, so a load and a store add to it; the client can only read. */
#include "transmit.h"

enum { SUB_BITS = 2 }; /* four buckets a power of two */

unsigned transmit_bucket_of(uint64_t ns)
{
    unsigned exponent, bucket;

    if (ns < 1 << SUB_BITS)
        return (unsigned)ns;
    exponent = 63 - (unsigned)__builtin_clzll(ns);
    bucket = ((exponent - SUB_BITS + 1) << SUB_BITS) +
             ((unsigned)(ns >> (exponent - SUB_BITS)) & ((1 << SUB_BITS) - 1));
    return bucket < TRANSMIT_BUCKETS ? bucket : TRANSMIT_BUCKETS - 1;
}

uint64_t transmit_bucket_end(unsigned bucket)
{
    uint64_t leading = (1 << SUB_BITS) + (bucket & ((1 << SUB_BITS) - 1));

    if (bucket >= TRANSMIT_BUCKETS - 1)
        return UINT64_MAX;
    return bucket < 1 << SUB_BITS ? bucket : ((leading + 1) << ((bucket >> SUB_BITS) - 1)) - 1;
}

/* --- The service --------------------------------------------------------------------------- */

static void add(ring_index *word, uint64_t number)
{
    RING_STORE(word, RING_LOAD(word, relaxed) + number, relaxed);
}

void transmit_reader_judge_timed(struct transmit_reader *reader, const struct transmit_frame *frame,
                                 enum transmit_refusal_reason reason, uint64_t lateness)
{
    struct transmit_timing_page *timing = &reader->memory.feedback->timing;

    transmit_reader_judge(reader, frame, reason);
    if (lateness > RING_LOAD(&timing->latest, relaxed))
        RING_STORE(&timing->latest, lateness, relaxed);
    if (reason != TRANSMIT_SENT)
        return;
    add(&timing->histogram[transmit_bucket_of(lateness)], 1);
    if (lateness > TRANSMIT_LATE_NS)
        add(&timing->late, 1);
}

void transmit_reader_made(struct transmit_reader *reader, const struct transmit_made *more)
{
    struct transmit_timing_page *timing = &reader->memory.feedback->timing;
    struct transmit_counts *counts = &reader->counts;

    counts->sent += more->sent;
    counts->sent_bytes += more->sent_bytes;
    counts->judged += more->sent;
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++) {
        counts->refused[i] += more->refused[i];
        counts->judged += more->refused[i];
    }
    add(&timing->late, more->late);
    if (more->latest > RING_LOAD(&timing->latest, relaxed))
        RING_STORE(&timing->latest, more->latest, relaxed);
    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++)
        if (more->histogram[i] > 0)
            add(&timing->histogram[i], more->histogram[i]);
}

void transmit_reader_started(struct transmit_reader *reader, uint64_t time)
{
    RING_STORE(&reader->memory.feedback->timing.started, time, relaxed);
}

void transmit_reader_stalled(struct transmit_reader *reader, uint64_t stalls, uint64_t ns)
{
    add(&reader->memory.feedback->timing.stalls, stalls);
    add(&reader->memory.feedback->timing.stalled_ns, ns);
}

/* --- Who reads it -------------------------------------------------------------------------- */

static void read_timing(const struct transmit_timing_page *page, struct transmit_timing *ret)
{
    ret->started = RING_LOAD(&page->started, relaxed);
    ret->late = RING_LOAD(&page->late, relaxed);
    ret->latest = RING_LOAD(&page->latest, relaxed);
    ret->stalls = RING_LOAD(&page->stalls, relaxed);
    ret->stalled_ns = RING_LOAD(&page->stalled_ns, relaxed);
    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++)
        ret->histogram[i] = RING_LOAD(&page->histogram[i], relaxed);
}

void transmit_reader_timing(const struct transmit_reader *reader, struct transmit_timing *ret)
{
    read_timing(&reader->memory.feedback->timing, ret);
}

void transmit_writer_timing(const struct transmit_writer *writer, struct transmit_timing *ret)
{
    read_timing(&writer->feedback->timing, ret);
}

static uint64_t count_all(const uint64_t histogram[TRANSMIT_BUCKETS])
{
    uint64_t count = 0;

    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++)
        count += histogram[i];
    return count;
}

/* How many of `count` are so many millionths, rounded up, without an overflow. */
static uint64_t share_of(uint64_t count, uint64_t millionths)
{
    return count / 1000000 * millionths + (count % 1000000 * millionths + 999999) / 1000000;
}

uint64_t transmit_quantile(const uint64_t histogram[TRANSMIT_BUCKETS], uint64_t latest,
                           uint64_t millionths)
{
    uint64_t rank = share_of(count_all(histogram), millionths), seen = 0, end;

    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++) {
        seen += histogram[i];
        end = transmit_bucket_end(i);
        if (seen > 0 && seen >= rank)
            return end < latest ? end : latest;
    }
    return 0;
}

uint64_t transmit_timing_quantile(const struct transmit_timing *timing, uint64_t millionths)
{
    return transmit_quantile(timing->histogram, timing->latest, millionths);
}
