#include "counting.h"

enum {
    WINDOW = 64,    /* samples back by which one may be late */
    COUNTS = 65536, /* numbers of 16 bits */
    NS_PER_SECOND = 1000000000,
    RATE_TIME = NS_PER_SECOND / 8, /* how long samples are counted to find their rate, twice */
};

/* Those of 9-2LE (80 and 256 a period) and of 61869-9, and two that devices use. */
static const uint32_t rates[] = {4000, 4800, 5760, 12800, 14400, 15360, 16000};

void counting_set_rate(struct counting *counting, uint32_t rate)
{
    counting->rate = rate > 0 && rate <= COUNTS ? rate : 0;
    counting->rate_is_fixed = counting->rate != 0;
}

static void begin(struct counting *counting, uint16_t smp_cnt, uint64_t time)
{
    counting->has_begun = true;
    counting->last = counting->first = smp_cnt;
    counting->last_time = counting->first_time = time;
    counting->since = 0;
    counting->rate_before = 0;
    counting->seen = 1;
}

/* The well-known rate that is nearest to what came, if any is within 4 %. */
static uint32_t nearest_rate(double rate)
{
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++)
        if (rate > 0.96 * rates[i] && rate < 1.04 * rates[i])
            return rates[i];
    return 0;
}

/* A frame that comes late, as behind a stall, makes one time too long, or another one too short:
 * two that follow each other must tell the same. */
static void find_rate(struct counting *counting, uint64_t time)
{
    uint64_t elapsed = time - counting->first_time;
    uint32_t rate;

    if (counting->rate || time < counting->first_time || elapsed < RATE_TIME)
        return;
    rate = nearest_rate((double)counting->since * NS_PER_SECOND / (double)elapsed);
    counting->rate = rate == counting->rate_before ? rate : 0;
    counting->rate_before = rate;
    counting->first_time = time;
    counting->since = 0;
}

/* A count that falls to 0 tells the rate, whatever was taken for it. */
static void learn_rate(struct counting *counting, uint16_t smp_cnt)
{
    uint32_t rate = counting->last + 1u;

    if (!counting->rate_is_fixed && smp_cnt == 0 && rate > WINDOW &&
        (rate < counting->rate || !counting->rate) && nearest_rate(rate) == rate)
        counting->rate = rate;
}

/* Whether so much time has passed that the count may have gone round: then the clock says how many
 * samples there were. */
static bool asks_the_clock(const struct counting *counting, uint64_t time)
{
    return counting->rate && time > counting->last_time &&
           time - counting->last_time >= NS_PER_SECOND / 2;
}

/* How many samples further this one is, which is so many steps of the count, and rounds of it. */
static uint64_t by_the_clock(const struct counting *counting, uint32_t step, uint64_t time)
{
    uint64_t passed =
                 (uint64_t)((double)(time - counting->last_time) * counting->rate / NS_PER_SECOND),
             half = passed + counting->rate / 2, steps = step;

    if (half > step)
        steps += (half - step) / counting->rate * counting->rate;
    return steps ? steps : 1;
}

static enum counted go_on(struct counting *counting, uint16_t smp_cnt, uint64_t time,
                          uint64_t steps)
{
    counting->last = smp_cnt;
    counting->last_time = time;
    counting->seen = steps < WINDOW ? counting->seen << steps | 1 : 1;
    counting->lost += steps - 1;
    counting->since += steps;
    find_rate(counting, time);
    return steps == 1 ? COUNTED_NEXT : COUNTED_GAP;
}

/* One that is not newer: it was here, or was taken for lost. */
static enum counted go_back(struct counting *counting, uint32_t back)
{
    if (counting->seen >> back & 1) {
        counting->repeated++;
        return COUNTED_REPEATED;
    }
    counting->seen |= UINT64_C(1) << back;
    counting->late++;
    if (counting->lost)
        counting->lost--;
    return COUNTED_LATE;
}

static enum counted restart(struct counting *counting, uint16_t smp_cnt, uint64_t time)
{
    begin(counting, smp_cnt, time);
    counting->restarts++;
    return COUNTED_RESTART;
}

enum counted counting_take(struct counting *counting, uint16_t smp_cnt, uint64_t time)
{
    uint32_t end, step;

    counting->samples++;
    if (!counting->has_begun) {
        begin(counting, smp_cnt, time);
        return COUNTED_NEXT;
    }
    if (!counting->rate_is_fixed && counting->rate && smp_cnt >= counting->rate)
        counting->rate = 0; /* what was taken for it was too low */
    learn_rate(counting, smp_cnt);
    end = counting->rate ? counting->rate : COUNTS;
    if (smp_cnt >= end || counting->last >= end)
        return restart(counting, smp_cnt, time);
    step = (smp_cnt + end - counting->last) % end;
    if (asks_the_clock(counting, time))
        return go_on(counting, smp_cnt, time, by_the_clock(counting, step, time));
    if (step == 0 || end - step < WINDOW)
        return go_back(counting, step ? end - step : 0);
    return step <= end / 2 ? go_on(counting, smp_cnt, time, step)
                           : restart(counting, smp_cnt, time);
}
