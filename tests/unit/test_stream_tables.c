/* Segments, laid one behind the other as the service plays them, are the waveform of each sample's
 * number; and no place of the table is written to while it is played. */
#include "suite.h"
#include "tables.h"
#include "waveform.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 8, QUEUED_MAX = 16, TABLE_MAX = 4 * 65536 };

/* The service, as its interface says: segments in their order, each until the next one begins. */
struct played {
    struct table_segment queue[QUEUED_MAX];
    unsigned count;
};

static struct played service;
static struct tables tables;
static struct waveform waveform;
static int32_t (*table)[CHANNELS];

static void compute(const struct waveform *of, uint64_t number, int32_t ret[CHANNELS])
{
    int32_t values[CHANNELS];

    waveform_sample(of, number, values);
    memcpy(ret, values, CHANNELS * sizeof *values);
}

static void begin(uint32_t rate, uint32_t asdus, uint64_t microhertz)
{
    memset(&service, 0, sizeof service);
    memset(&waveform, 0, sizeof waveform);
    waveform.rate = rate;
    waveform.microhertz = microhertz;
    waveform.states = 1;
    waveform.layout = (struct sv_layout){4, 4};
    waveform_balance_currents(&waveform, 0, 100, -30);
    waveform_balance_voltages(&waveform, 0, 63508.5, 0);
    waveform.state[0].channels[0].parts[5] = (struct waveform_part){0.1, 20};
    tables_begin(&tables, rate, asdus, tables_period(rate, asdus, microhertz));
    ck_assert_uint_le(tables.capacity, TABLE_MAX);
    table = realloc(table, sizeof *table * TABLE_MAX);
}

static bool overlap(const struct table_segment *one, const struct table_segment *other)
{
    return one->first < other->first + other->count && other->first < one->first + one->count;
}

static void drop_first(unsigned count)
{
    service.count -= count;
    memmove(service.queue, service.queue + count, service.count * sizeof *service.queue);
}

static uint64_t end_of(const struct table_segment *segment)
{
    return segment->begin + (uint64_t)segment->count * segment->repeats;
}

/* Those that are over before this sample go. */
static void go_on_to(uint64_t now)
{
    unsigned over = 0;

    while (over + 1 < service.count && service.queue[over + 1].begin <= now)
        over++;
    drop_first(over);
    if (service.count && end_of(&service.queue[0]) <= now)
        drop_first(1);
}

static void take(const struct table_segment *segment)
{
    if (segment->cuts)
        while (service.count && service.queue[service.count - 1].begin >= segment->begin)
            service.count--;
    ck_assert_uint_lt(service.count, QUEUED_MAX);
    ck_assert_uint_gt(segment->count, 0);
    ck_assert_uint_le(segment->first + segment->count, tables.capacity);
    ck_assert_uint_eq(segment->begin % tables.asdus, 0);
    for (unsigned i = 0; i < service.count; i++) {
        ck_assert(segment->is_there || !overlap(segment, &service.queue[i]));
        ck_assert_uint_le(service.queue[i].begin, segment->begin);
    }
    for (uint32_t i = 0; i < segment->count && !segment->is_there; i++)
        compute(&waveform, segment->begin + i, table[segment->first + i]);
    service.queue[service.count++] = *segment;
}

static void feed(uint64_t now)
{
    struct table_segment segment;

    while (tables_next(&tables, now, now, &segment))
        take(&segment);
}

static const int32_t *sample_of(uint64_t number)
{
    const struct table_segment *segment = &service.queue[0];
    uint64_t at;

    ck_assert_uint_gt(service.count, 0);
    ck_assert_uint_le(segment->begin, number);
    at = number - segment->begin;
    ck_assert_uint_lt(number, end_of(segment));
    return table[segment->first + at % segment->count];
}

/* The first samples of a segment, and some of the others: all take too long. */
static bool is_looked_at(uint64_t number)
{
    return number % 13 == 0 || number - service.queue[0].begin < 3;
}

/* Plays this many samples from there, feeding now and then. */
static void play(uint64_t from, uint64_t count, uint64_t step)
{
    for (uint64_t number = from; number < from + count; number++) {
        const int32_t *sample;
        int32_t right[CHANNELS];

        go_on_to(number);
        if (number % step == 0)
            feed(number);
        sample = sample_of(number);
        if (is_looked_at(number)) {
            compute(&waveform, number, right);
            ck_assert_mem_eq(sample, right, sizeof right);
        }
    }
}

static const struct {
    uint32_t rate, asdus;
    uint64_t microhertz;
    uint32_t period;
} cases[] = {
    {4800, 1, 60000000, 80},   {4800, 1, 50000000, 96},   {4000, 1, 50000000, 80},
    {12800, 8, 50000000, 256}, {14400, 6, 60000000, 240}, {14400, 6, 50000000, 288},
    {15360, 8, 60000000, 256}, {4800, 2, 51000000, 1600}, {12800, 8, 51000000, 12800},
    {4800, 1, 49950000, 0},    {4800, 1, 50000001, 0},    {20001, 3, 50000000, 20001},
    {101, 1, 16700000, 0},     {4001, 1, 50000000, 4001}, {5760, 5, 60000000, 480},
};

START_TEST(periods_are_whole_frames)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t period = tables_period(cases[i].rate, cases[i].asdus, cases[i].microhertz);

        ck_assert_msg(period == cases[i].period, "%u Hz: %u", cases[i].rate, period);
    }
    ck_assert_uint_eq(tables_period(5000, 4, 60000000), 500);
}
END_TEST

START_TEST(segments_are_the_waveform)
{
    uint64_t from = 3600ull * cases[_i].rate + 7 * cases[_i].asdus;

    begin(cases[_i].rate, cases[_i].asdus, cases[_i].microhertz);
    ck_assert_uint_eq(tables_change(&tables, from), from);
    feed(from - 10);
    play(from, 9 * cases[_i].rate / 2, 1 + cases[_i].rate / 10);
}
END_TEST

/* Changes at any sample: before, the old waveform, and from there on the new one, whose phase goes
 * on. */
START_TEST(a_change_begins_with_its_sample)
{
    uint64_t now = 0;

    srandom(7);
    begin(cases[_i].rate, cases[_i].asdus, cases[_i].microhertz);
    tables_change(&tables, 0);
    feed(0);
    for (unsigned i = 0; i < 12; i++) {
        uint64_t rest = (uint64_t)random() % (cases[_i].rate / 8 + 1);
        uint64_t lead = cases[_i].rate / 50 + (uint64_t)random() % (cases[_i].rate / 20);
        uint64_t at;

        play(now, rest, 1 + cases[_i].rate / 20);
        now += rest;
        /* Up to there it is as before: what was fed last holds that. */
        at = tables_align(&tables, now + lead);
        go_on_to(now);
        feed(now);
        {
            static struct waveform before;
            int32_t right[CHANNELS];

            before = waveform;
            waveform.state[0].channels[0].rms = 10.0 * i;
            waveform.state[0].channels[4].angle = 20.0 * i;
            ck_assert_uint_eq(tables_change(&tables, now + lead), at);
            feed(now);
            for (; now < at; now++) {
                go_on_to(now);
                feed(now);
                compute(&before, now, right);
                ck_assert_mem_eq(sample_of(now), right, sizeof right);
            }
        }
    }
}
END_TEST

/* Where no place is free, the change waits for one, and comes late rather than over what is played.
 */
START_TEST(many_changes_at_once_wait_for_places)
{
    begin(4800, 1, 51000000);
    tables_change(&tables, 100);
    feed(0);
    for (uint64_t number = 0; number < 200; number++) {
        tables_change(&tables, 1000 + number);
        feed(number);
    }
    play(1199, 20000, 100);
}
END_TEST

START_TEST(a_stream_ends)
{
    begin(4800, 1, 49950000);
    tables_change(&tables, 0);
    tables_end(&tables, 5000);
    feed(0);
    play(0, 5000, 100);
    go_on_to(5000);
    ck_assert_uint_eq(service.count, 0);
}
END_TEST

/* A process that is stopped publishes no more, whatever it published. */
START_TEST(nothing_goes_on_for_ever)
{
    for (uint64_t microhertz = 49950000; microhertz <= 50000000; microhertz += 50000) {
        begin(4800, 1, microhertz);
        tables_change(&tables, 100);
        feed(0);
        ck_assert_uint_le(end_of(&service.queue[service.count - 1]), 4 * 4800);
    }
}
END_TEST

/* A process that was held up goes on where it is by then. */
START_TEST(what_was_not_fed_is_left_out)
{
    begin(4800, 1, _i ? 50000000 : 49950000);
    tables_change(&tables, 0);
    feed(0);
    go_on_to(20000);
    feed(20000);
    ck_assert_uint_ge(service.queue[0].begin, 20000);
    play(20000, 5000, 100);
}
END_TEST

static void add_tests(TCase *tests)
{
    int count = sizeof cases / sizeof *cases;

    tcase_add_test(tests, periods_are_whole_frames);
    tcase_add_loop_test(tests, segments_are_the_waveform, 0, count);
    tcase_add_loop_test(tests, a_change_begins_with_its_sample, 0, count);
    tcase_add_test(tests, many_changes_at_once_wait_for_places);
    tcase_add_test(tests, a_stream_ends);
    tcase_add_test(tests, nothing_goes_on_for_ever);
    tcase_add_loop_test(tests, what_was_not_fed_is_left_out, 0, 2);
}

int main(void)
{
    return suite_run("stream_tables", add_tests);
}
