/* The way of a frame, from who calls nb_inject_put to the kernel, by the thread of a sender and by
 * the one that sends at times: nothing on it allocates, whether it is sent or refused. */
#include "allocations.h"
#include "client.h"
#include "platform/injection.h"
#include "resources/inject/sender.h"
#include "resources/inject/timed_thread.h"
#include "ring_client.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    SIZE = INJECT_BYTES_LEAST,
    FRAMES = 1000,
    FRAME = 500,
    PATIENCE_MS = 5000,
    SEGMENTS = 50,
    SAMPLES = 20, /* of a segment, and of 4 ms */
    SAMPLE = 64,
    SAMPLE_RATE = 5000,
};

enum way { AT_ONCE, AT_TIMES, MADE }; /* MADE: by the service */

#define PERIOD_NS UINT64_C(50000)

struct fixture {
    struct service service; /* whose kernel has the interface */
    struct timed_thread timed;
    struct sender *sender;
    struct outlet outlet;
    struct nb_inject *inject;
    struct nb_client *client;
    int opened;
};

static void woken(void *context)
{
    (void)context;
}

static void take(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct fixture *f = context;

    (void)client;
    f->opened = nb_inject_open(&f->inject, reply);
}

static void make_template(struct fixture *f)
{
    const struct timed_config config = {.rate = f->outlet.per_second};

    ck_assert_int_eq(timed_thread_start(&f->timed), 0);
    f->outlet.template = template_ring_make(f->timed.timed, &config, 4 * SAMPLES * SAMPLE);
    ck_assert_ptr_nonnull(f->outlet.template);
}

static void make_timed(struct fixture *f)
{
    const struct timed_config config = {.rate = f->outlet.per_second};

    ck_assert_int_eq(timed_thread_start(&f->timed), 0);
    f->outlet.timed = timed_ring_make(f->timed.timed, &config, INJECT_FRAME_MAX);
    ck_assert_ptr_nonnull(f->outlet.timed);
}

static void open_outlet(struct fixture *f, enum way way)
{
    int fds[INJECT_RING_FDS];

    f->outlet.per_second = 10000000;
    f->outlet.scope.sources.kinds = SOURCES_OWN;
    ck_assert_int_eq(inject_ring_make(&f->outlet.ring, SIZE), 0);
    if (way == AT_TIMES)
        make_timed(f);
    if (way == MADE)
        make_template(f);
    sender_add(f->sender, &f->outlet);
    for (unsigned i = 0; i < INJECT_RING_FDS; i++)
        fds[i] = inject_ring_take_fd(&f->outlet.ring, i);
    f->client = ring_client_open("OPEN_INJECT", "\"ring\",\"page\",\"bell\",\"room\"", fds,
                                 INJECT_RING_FDS, take, f);
    ck_assert_int_eq(f->opened, 0);
}

static void begin(struct fixture *f, enum way way)
{
    int fd, error;

    memset(f, 0, sizeof *f);
    service_begin(&f->service, "a");
    fd = injection_open(netifs_find(f->service.services.netifs, "a")->ifindex);
    ck_assert_int_ge(fd, 0);
    f->sender = sender_start(fd, woken, NULL, &error);
    ck_assert_ptr_nonnull(f->sender);
    open_outlet(f, way);
}

static void end(struct fixture *f)
{
    sender_stop(f->sender);
    close(sender_free(f->sender));
    timed_thread_free(&f->timed);
    timed_ring_free(f->outlet.timed);
    template_ring_free(f->outlet.template);
    inject_ring_free(&f->outlet.ring);
    nb_inject_close(f->inject);
    nb_close(f->client);
    service_end(&f->service);
}

/* Each second one is from a foreign address. */
static void write_frame(unsigned char *frame, unsigned i)
{
    static const unsigned char own[] = {2, 0, 0, 0, 0, 1}; /* of the fake kernel's interfaces */

    memset(frame, 0, FRAME);
    memcpy(frame + sizeof own, own, sizeof own);
    frame[2 * sizeof own - 1] += i % 2;
    frame[2 * sizeof own] = 0x88;
    frame[2 * sizeof own + 1] = 0xba;
    memcpy(frame + FRAME - sizeof i, &i, sizeof i);
}

static bool is_refused(struct fixture *f, unsigned i)
{
    for (int ms = 0; ms < PATIENCE_MS; ms++) {
        struct nb_inject_refusal refusal;

        if (nb_inject_next_refusal(f->inject, &refusal) == 1)
            return refusal.tag == i && refusal.reason == TRANSMIT_SOURCE;
        if (nb_inject_wait(f->inject, UINT32_MAX))
            poll(&(struct pollfd){nb_inject_fd(f->inject), POLLIN, 0}, 1, 1);
    }
    return false;
}

static bool is_sent(const unsigned char *frame)
{
    unsigned char bytes[FRAME + 1];

    return fake_frame_take(bytes, sizeof bytes) == FRAME && memcmp(bytes, frame, FRAME) == 0;
}

/* libcheck's assertions allocate: there is none in here. */
static bool carry(struct fixture *f, unsigned from, unsigned count)
{
    unsigned char frame[FRAME];
    bool right = true;

    for (unsigned i = from; right && i < from + count; i++) {
        write_frame(frame, i);
        right =
            nb_inject_put(f->inject, frame, FRAME, f->outlet.timed ? i * PERIOD_NS : 0, i) == 1 &&
            nb_inject_publish(f->inject) == 0 && (i % 2 ? is_refused(f, i) : is_sent(frame));
    }
    return right;
}

/* --- Tests --------------------------------------------------------------------------------- */

START_TEST(no_frame_costs_an_allocation)
{
    struct fixture f;
    unsigned long before, after;
    bool right;

    begin(&f, (enum way)_i);
    ck_assert(carry(&f, 0, 2));
    ck_assert_uint_gt(allocations_so_far(), 0);
    before = allocations_so_far();
    right = carry(&f, 2, FRAMES);
    after = allocations_so_far();
    ck_assert(right);
    ck_assert_uint_eq(after, before);
    end(&f);
    ck_assert_uint_eq(outlet_sent(&f.outlet), 1 + FRAMES / 2);
    ck_assert_uint_eq(outlet_refused(&f.outlet), 1 + FRAMES / 2);
}
END_TEST

/* --- Streams that the service makes -------------------------------------------------------- */

static unsigned char template[TEMPLATE_BYTES_MAX];
static uint32_t template_length;

static void encode_template(void)
{
    static const uint8_t sample[SAMPLE];
    struct sv_message message = {.frame.source = {2, 0, 0, 0, 0, 1}, .asdus = 1};

    message.asdu[0] =
        (struct sv_asdu){.sv_id = {"MU01", 4}, .sample = sample, .sample_length = SAMPLE};
    template_length = (uint32_t)sv_encode(&message, template, sizeof template);
    ck_assert_uint_gt(template_length, 0);
}

static bool is_played(struct fixture *f, uint64_t segments)
{
    for (int ms = 0; nb_inject_played(f->inject) < segments; ms++) {
        struct nb_inject_refusal refusal;

        if (ms == PATIENCE_MS)
            return false;
        while (nb_inject_next_refusal(f->inject, &refusal) > 0)
            if (refusal.record != NB_INJECT_SAMPLES || refusal.tag != UINT32_MAX)
                return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* Segments one behind the other, with samples of their own; and a record of each kind, one of which
 * is refused. */
static bool play(struct fixture *f, unsigned from, unsigned count)
{
    static const unsigned char samples[SAMPLES * SAMPLE];
    bool right = true;

    for (unsigned i = from; right && i < from + count; i++) {
        uint32_t place = i % 4 * SAMPLES;

        right = (i < 3 || is_played(f, i - 3)) &&
                nb_inject_template(f->inject, template, template_length, SAMPLE_RATE) == 1 &&
                nb_inject_synch(f->inject, (uint8_t)i) == 1 &&
                nb_inject_samples(f->inject, place, samples, SAMPLES, SAMPLE) == 1 &&
                nb_inject_play(f->inject, &(struct nb_inject_segment){.begin = NB_INJECT_BEHIND,
                                                                      .first = place,
                                                                      .count = SAMPLES,
                                                                      .repeats = 1}) == 1 &&
                nb_inject_samples(f->inject, UINT32_MAX, samples, 1, SAMPLE) == 1 &&
                nb_inject_publish(f->inject) == 0;
    }
    return right && is_played(f, from + count - 3);
}

START_TEST(no_sample_costs_an_allocation)
{
    struct nb_inject_counts counts;
    unsigned long before, after;
    struct fixture f;
    bool right;

    encode_template();
    begin(&f, MADE);
    ck_assert(play(&f, 0, 4));
    before = allocations_so_far();
    right = play(&f, 4, SEGMENTS);
    after = allocations_so_far();
    ck_assert(right);
    ck_assert_uint_eq(after, before);
    nb_inject_counts(f.inject, &counts);
    ck_assert_uint_gt(counts.sent, 0);
    ck_assert_uint_gt(counts.refused[TRANSMIT_TABLE], SEGMENTS / 2);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, no_sample_costs_an_allocation);
    tcase_add_loop_test(tests, no_frame_costs_an_allocation, AT_ONCE, MADE);
}

int main(void)
{
    return suite_run("inject_path", add_tests);
}
