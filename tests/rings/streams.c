/* A stream's two threads at the same time: the one that takes records, writes samples and hands
 * templates over, and the one that makes frames. Each frame has just the samples of the segment
 * that it is of, whole, and all ASDUs are of one template; places of a segment are written again as
 * soon as it is told to be over. The thread sanitizer looks for what is not handed over.
 *
 * usage: stream-stress [SEGMENTS] */
#include "resources/inject/template_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASDUS = 4,
    COUNT = 16,   /* samples of a segment */
    REPEATS = 3,  /* of them */
    SAMPLE = 64,  /* bytes of one */
    PLACES = 128, /* of the table: of 8 segments */
    RATE = 4000,  /* samples a second */
    FRAME_RATE = 2000,
    SYNCHS = 20,
};

static uint64_t segments = 5000;
static struct template_ring *ring;
static struct timed *timed;
static uint64_t next_sample; /* of the frames that were sent: that thread's */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

/* --- Samples that follow from their segment ------------------------------------------------ */

static void fill(unsigned char *sample, uint64_t segment, uint64_t place)
{
    for (unsigned i = 0; i < SAMPLE / SV_CHANNEL_BYTES; i++)
        sv_put_channel(sample, i, (int32_t)segment, (uint32_t)place);
}

static void check(const struct sv_asdu *asdu, uint64_t sample)
{
    uint64_t segment = sample / (COUNT * REPEATS), place = sample % COUNT;

    must(asdu->smp_cnt == sample % RATE, "smpCnt is that of the sample");
    for (unsigned i = 0; i < SAMPLE / SV_CHANNEL_BYTES; i++) {
        must(sv_value(asdu, i) == (int32_t)segment, "a sample is that of its segment, and whole");
        must(sv_quality(asdu, i) == place, "a sample is that of its place");
    }
}

/* --- The thread that makes frames ---------------------------------------------------------- */

static enum transmit_refusal_reason take(int fd, const unsigned char *bytes, uint32_t length)
{
    struct sv_message message;
    struct iec_fault fault;

    (void)fd;
    must(sv_decode(bytes, length, &message, &fault), "what is sent is a frame");
    must(message.asdus == ASDUS, "of all ASDUs");
    for (unsigned i = 0; i < ASDUS; i++) {
        check(&message.asdu[i], next_sample + i);
        must(message.asdu[i].conf_rev == message.asdu[0].conf_rev, "ASDUs are of one template");
        must(message.asdu[i].smp_synch == message.asdu[0].smp_synch, "smpSynch is one");
        must(message.asdu[i].sv_id.length == message.asdu[i].conf_rev % 20, "and its name is");
    }
    next_sample += ASDUS;
    return TRANSMIT_SENT;
}

/* The clock goes on to the next frame, and no further: so none is late, and where there is none
 * yet, time stands still. */
static void *make_frames(void *context)
{
    uint64_t now = 1, until;

    (void)context;
    while (!atomic_load(&timed->stopping)) {
        until = timed_turn(timed, now, now);
        if (until == TIMED_NEVER)
            sched_yield();
        else if (until > now)
            now = until;
    }
    for (int i = 0; i < 2; i++) /* it is given back */
        timed_turn(timed, now, now);
    return NULL;
}

/* --- The thread that takes records --------------------------------------------------------- */

static unsigned char record[TEMPLATE_BYTES_MAX];
static uint64_t clock_of_records = 1; /* at which none is too much */

/* Published only here: between that, the other thread finds records by itself, as it goes on. */
static void let_others_run(void)
{
    template_ring_publish(ring);
    sched_yield();
}

static void take_record(enum stream_record kind, uint32_t length, uint64_t time, uint64_t tag)
{
    const struct transmit_frame frame = {
        .tag = tag, .time = time, .length = length, .record = kind};

    while (!template_ring_has_room(ring, clock_of_records += 1000000))
        let_others_run();
    must(template_ring_take(ring, &frame, record, false) == TRANSMIT_SENT, "a record is taken");
}

static void put_template(uint32_t number)
{
    static const uint8_t sample[SAMPLE];
    static const char name[] = "abcdefghijklmnopqrst";
    struct sv_message message = {.asdus = ASDUS};
    size_t length;

    for (unsigned i = 0; i < ASDUS; i++)
        message.asdu[i] = (struct sv_asdu){.sv_id = {name, number % 20},
                                           .conf_rev = number,
                                           .sample = sample,
                                           .sample_length = SAMPLE};
    length = sv_encode(&message, record, sizeof record);
    take_record(STREAM_TEMPLATE, (uint32_t)length, 0, RATE);
}

/* As soon as one that had these places is over. */
static void put_samples(uint64_t segment)
{
    uint64_t first = segment * COUNT % PLACES;

    for (unsigned i = 0; i < COUNT; i++)
        fill(record + (size_t)i * SAMPLE, segment, i);
    while (segment >= PLACES / COUNT &&
           timed_template_played(&ring->template) < segment - PLACES / COUNT + 1)
        let_others_run();
    take_record(STREAM_SAMPLES, COUNT * SAMPLE, first, 0);
}

static void put_play(uint64_t segment)
{
    const struct stream_play play = {.begin = STREAM_BEHIND,
                                     .first = (uint32_t)(segment * COUNT % PLACES),
                                     .count = COUNT,
                                     .repeats = REPEATS};

    memcpy(record, &play, sizeof play);
    take_record(STREAM_PLAY, sizeof play, 0, 0);
}

/* So many that commands wait for room as well. */
static void put_synchs(uint64_t segment)
{
    for (unsigned i = 0; i < SYNCHS; i++) {
        record[0] = (unsigned char)(segment + i);
        take_record(STREAM_SYNCH, 1, 0, 0);
    }
}

static void run_records(void)
{
    for (uint64_t segment = 0; segment < segments; segment++) {
        if (segment % 5 == 0)
            put_template((uint32_t)segment);
        put_samples(segment);
        put_play(segment);
        if (segment % 100 < 50)
            put_synchs(segment);
    }
    while (timed_template_played(&ring->template) < segments)
        let_others_run();
}

int main(int argc, char **argv)
{
    const struct timed_config config = {.rate = FRAME_RATE, .start = 1000000000};
    pthread_t thread;

    if (argc > 1)
        segments = strtoull(argv[1], NULL, 10);
    timed = aligned_alloc(_Alignof(struct timed), sizeof *timed);
    must(timed != NULL, "there is memory");
    memset(timed, 0, sizeof *timed);
    ring = template_ring_make(timed, &config, PLACES * SAMPLE);
    must(ring != NULL, "there is memory");
    must(template_ring_join(ring, 3, take, 0), "there is a place");
    must(pthread_create(&thread, NULL, make_frames, NULL) == 0, "a thread");
    run_records();
    must(!template_ring_leave(ring), "it leaves between two frames");
    while (!template_ring_leave(ring))
        sched_yield();
    timed_stop(timed);
    pthread_join(thread, NULL);
    must(next_sample == segments * COUNT * REPEATS, "all frames were sent");
    printf("%llu frames\n", (unsigned long long)next_sample / ASDUS);
    template_ring_free(ring);
    free(timed);
    return 0;
}
