/* An injection as its writer sees it: the memory that came with a reply, mapped. See
 * ring/transmit.h. */
#include "netbroker.h"

#include "ring/transmit.h"
#include "rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES_BYTES = 16384 }; /* of a record of samples: what the service copies at once */

struct nb_inject {
    struct transmit_writer writer;
    struct ring_view ring, page; /* mapped */
    int bell;                    /* the service waits there */
    int room;                    /* and we here */
};

_Static_assert((int)TRANSMIT_REASON_COUNT <= (int)NB_INJECT_REASONS, "a count for each reason");
_Static_assert((int)NB_INJECT_SYNCH == (int)STREAM_SYNCH &&
                   (int)NB_INJECT_TWICE == (int)STREAM_TWICE,
               "the records are the same");
_Static_assert((int)TRANSMIT_BUCKETS == (int)NB_INJECT_BUCKETS, "the histogram is the same");

/* --- Life ---------------------------------------------------------------------------------- */

/* EACCES: what we are to write to is only shown; EPERM: it is sealed, by an older service. */
static int map(struct nb_inject *inject, int ring, int page)
{
    int result = ring_view_map(ring, true, &inject->ring);

    if (result == 0)
        result = ring_view_map(page, false, &inject->page);
    if (result == -EINVAL || result == -EACCES || result == -EPERM)
        return -EBADMSG;
    if (result < 0)
        return result;
    return transmit_writer_init(&inject->writer, inject->ring.page, inject->ring.data,
                                inject->ring.size, inject->page.page)
               ? 0
               : -EBADMSG;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The first that is no descriptor, or 0. */
static int first_error(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] < 0)
            return fds[i];
    return 0;
}

int nb_inject_open(struct nb_inject **ret_inject, const struct nb_reply *reply)
{
    struct nb_inject *inject;
    int fds[4], result;

    if (!ret_inject || !reply)
        return -EINVAL;
    inject = calloc(1, sizeof *inject);
    if (!inject)
        return -ENOMEM;
    fds[0] = nb_reply_fd(reply, "ring");
    fds[1] = nb_reply_fd(reply, "page");
    fds[2] = inject->bell = nb_reply_fd(reply, "bell");
    fds[3] = inject->room = nb_reply_fd(reply, "room");
    result = first_error(fds, 4);
    if (result == 0)
        result = map(inject, fds[0], fds[1]);
    close_one(fds[0]); /* the mappings stay */
    close_one(fds[1]);
    if (result == 0)
        *ret_inject = inject;
    else
        nb_inject_close(inject);
    return result;
}

void nb_inject_close(struct nb_inject *inject)
{
    if (!inject)
        return;
    ring_view_unmap(&inject->ring);
    ring_view_unmap(&inject->page);
    close_one(inject->bell);
    close_one(inject->room);
    free(inject);
}

/* --- Writing ------------------------------------------------------------------------------- */

uint32_t nb_inject_length_max(const struct nb_inject *inject)
{
    return inject ? inject->writer.length_max : 0;
}

static int result_of(enum transmit_taken taken)
{
    switch (taken) {
    case TRANSMIT_TAKEN:
        return 1;
    case TRANSMIT_FULL:
        return 0;
    case TRANSMIT_LONGER:
        return -EMSGSIZE;
    case TRANSMIT_ENDED:
        break;
    }
    return -ENODATA;
}

int nb_inject_put(struct nb_inject *inject, const void *bytes, uint32_t length, uint64_t time,
                  uint64_t tag)
{
    if (!inject || !bytes)
        return -EINVAL;
    return result_of(transmit_writer_put(&inject->writer, bytes, length, time, tag));
}

/* A bell that cannot be rung says no more than the ring's end does, or the connection's. */
int nb_inject_publish(struct nb_inject *inject)
{
    if (!inject)
        return -EINVAL;
    if (transmit_writer_publish(&inject->writer))
        ring_bell_ring(inject->bell);
    return inject->writer.end == RING_GOES_ON ? 0 : -ENODATA;
}

/* The bell is cleared before it is looked once more. */
bool nb_inject_wait(struct nb_inject *inject, uint32_t length)
{
    uint32_t most;

    if (!inject)
        return false;
    most = (uint32_t)(inject->writer.size - sizeof(struct transmit_header));
    ring_bell_clear(inject->room);
    return transmit_writer_wait(&inject->writer, length < most ? length : most);
}

int nb_inject_fd(const struct nb_inject *inject)
{
    return inject ? inject->room : -EINVAL;
}

/* --- What became of frames ----------------------------------------------------------------- */

int nb_inject_next_refusal(struct nb_inject *inject, struct nb_inject_refusal *ret_refusal)
{
    struct transmit_refusal refusal;

    if (!inject || !ret_refusal)
        return -EINVAL;
    if (!transmit_writer_next_refusal(&inject->writer, &refusal))
        return 0;
    *ret_refusal = (struct nb_inject_refusal){
        .sequence = refusal.sequence,
        .tag = refusal.tag,
        .length = refusal.length,
        .reason = refusal.reason,
        .record = refusal.record,
    };
    return 1;
}

static bool is_reason(unsigned reason)
{
    return reason > TRANSMIT_SENT && reason < TRANSMIT_REASON_COUNT;
}

const char *nb_inject_reason_word(unsigned reason)
{
    return is_reason(reason) ? transmit_refusal_word((enum transmit_refusal_reason)reason) : "";
}

const char *nb_inject_reason_meaning(unsigned reason)
{
    return is_reason(reason) ? transmit_refusal_meaning((enum transmit_refusal_reason)reason) : "";
}

void nb_inject_counts(const struct nb_inject *inject, struct nb_inject_counts *ret_counts)
{
    struct transmit_counts counts;

    if (!inject || !ret_counts)
        return;
    transmit_writer_counts(&inject->writer, &counts);
    *ret_counts = (struct nb_inject_counts){
        .judged = counts.judged,
        .sent = counts.sent,
        .sent_bytes = counts.sent_bytes,
        .untold = counts.untold,
    };
    memcpy(ret_counts->refused, counts.refused, sizeof counts.refused);
}

void nb_inject_timing(const struct nb_inject *inject, struct nb_inject_timing *ret_timing)
{
    struct transmit_timing timing;

    if (!inject || !ret_timing)
        return;
    transmit_writer_timing(&inject->writer, &timing);
    *ret_timing = (struct nb_inject_timing){
        .started = timing.started,
        .late = timing.late,
        .latest = timing.latest,
        .stalls = timing.stalls,
        .stalled_ns = timing.stalled_ns,
    };
    memcpy(ret_timing->histogram, timing.histogram, sizeof timing.histogram);
}

uint64_t nb_inject_lateness(const struct nb_inject_timing *timing, uint64_t millionths)
{
    return timing ? transmit_quantile(timing->histogram, timing->latest, millionths) : 0;
}

const char *nb_inject_end(const struct nb_inject *inject)
{
    return inject && inject->writer.end != RING_GOES_ON ? ring_end_meaning(inject->writer.end) : "";
}

/* --- Streams -------------------------------------------------------------------------------- */

static int put_record(struct nb_inject *inject, enum stream_record record, const void *bytes,
                      uint32_t length, uint64_t time, uint64_t tag)
{
    return result_of(transmit_writer_put_record(&inject->writer, record, bytes, length, time, tag));
}

int nb_inject_template(struct nb_inject *inject, const void *bytes, uint32_t length,
                       uint32_t samples_per_second)
{
    if (!inject || !bytes)
        return -EINVAL;
    return put_record(inject, STREAM_TEMPLATE, bytes, length, 0, samples_per_second);
}

/* So many samples fit into a record. */
static uint32_t samples_of_record(const struct nb_inject *inject, uint32_t sample_length)
{
    uint32_t most =
        inject->writer.length_max < SAMPLES_BYTES ? inject->writer.length_max : SAMPLES_BYTES;

    return sample_length < most ? most / sample_length : 1;
}

static uint64_t bytes_of_samples(uint64_t samples, uint64_t most, uint64_t sample_length)
{
    uint64_t rest = samples % most;

    return samples / most * transmit_record_bytes(most * sample_length) +
           (rest > 0 ? transmit_record_bytes(rest * sample_length) : 0);
}

int nb_inject_samples(struct nb_inject *inject, uint32_t place, const void *bytes, uint32_t samples,
                      uint32_t sample_length)
{
    const unsigned char *from = bytes;
    uint32_t most;
    int result;

    if (!inject || !bytes || samples == 0 || sample_length == 0)
        return -EINVAL;
    if (sample_length > inject->writer.length_max)
        return -EMSGSIZE;
    most = samples_of_record(inject, sample_length);
    result = result_of(
        transmit_writer_has_room(&inject->writer, bytes_of_samples(samples, most, sample_length)));
    for (uint32_t done = 0; result == 1 && done < samples; done += most) {
        uint32_t count = samples - done < most ? samples - done : most;

        result = put_record(inject, STREAM_SAMPLES, from + (size_t)done * sample_length,
                            count * sample_length, (uint64_t)place + done, (uint64_t)place + done);
    }
    return result;
}

int nb_inject_play(struct nb_inject *inject, const struct nb_inject_segment *segment)
{
    struct stream_play play;

    if (!inject || !segment)
        return -EINVAL;
    play = (struct stream_play){segment->begin, segment->first, segment->count, segment->repeats,
                                segment->how};
    return put_record(inject, STREAM_PLAY, &play, sizeof play, 0, segment->tag);
}

int nb_inject_stop(struct nb_inject *inject, uint64_t sample)
{
    return inject ? put_record(inject, STREAM_STOP, "", 0, sample, sample) : -EINVAL;
}

int nb_inject_synch(struct nb_inject *inject, uint8_t value)
{
    return inject ? put_record(inject, STREAM_SYNCH, &value, 1, 0, value) : -EINVAL;
}

static struct stream_progress progress_of(const struct nb_inject *inject)
{
    struct stream_progress progress = {0};

    if (inject)
        transmit_writer_progress(&inject->writer, &progress);
    return progress;
}

uint64_t nb_inject_played(const struct nb_inject *inject)
{
    return progress_of(inject).played;
}

uint64_t nb_inject_next(const struct nb_inject *inject)
{
    return progress_of(inject).next;
}

uint64_t nb_inject_starved(const struct nb_inject *inject)
{
    return progress_of(inject).starved;
}

uint64_t nb_inject_dropped(const struct nb_inject *inject)
{
    return progress_of(inject).dropped;
}
