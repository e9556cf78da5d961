#include "tables.h"

#include <string.h>

enum {
    PARTS = 4,         /* segments that are fed in a second */
    AHEAD = 2,         /* of them beside the one that is played */
    PERIODS = 4,       /* places for segments: changes may follow each other */
    CHUNKS = 5,        /* likewise: one that is played, two ahead, two of a change */
    HOLD_SECONDS = 3,  /* for which a period is repeated */
    RENEW_SECONDS = 2, /* it is repeated once more when less is left */
    SLACK_FRAMES = 2,  /* a segment may be over a moment after its last sample */
};

#define MICRO UINT64_C(1000000)

uint64_t tables_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

uint32_t tables_period(uint32_t rate, uint32_t asdus, uint64_t microhertz)
{
    uint64_t turns = rate * MICRO, samples, whole;

    if (microhertz == 0)
        return asdus;
    samples = turns / tables_gcd(turns, microhertz);
    if (samples > rate)
        return 0;
    whole = samples / tables_gcd(samples, asdus) * asdus;
    return whole <= rate ? (uint32_t)whole : 0;
}

void tables_begin(struct tables *tables, uint32_t rate, uint32_t asdus, uint32_t period)
{
    uint32_t frames = rate / PARTS / asdus;

    *tables = (struct tables){
        .rate = rate,
        .asdus = asdus,
        .period = period,
        .chunk = (frames ? frames : 1) * asdus,
        .next = TABLES_NEVER,
        .end = TABLES_NEVER,
    };
    tables->capacity = period ? PERIODS * period : CHUNKS * tables->chunk;
}

uint64_t tables_align(const struct tables *tables, uint64_t number)
{
    uint64_t rest = number % tables->asdus;

    return rest ? number + (tables->asdus - rest) : number;
}

/* --- What is queued ------------------------------------------------------------------------ */

static unsigned at_index(const struct tables *tables, unsigned number)
{
    return (tables->oldest + number) % TABLES_LIVE_MAX;
}

static void forget_over(struct tables *tables, uint64_t next)
{
    uint64_t slack = (uint64_t)SLACK_FRAMES * tables->asdus;

    while (tables->live && tables->place[tables->oldest].end != TABLES_NEVER &&
           tables->place[tables->oldest].end + slack <= next) {
        tables->oldest = at_index(tables, 1);
        tables->live--;
    }
}

static void cut(struct tables *tables, uint64_t number)
{
    for (unsigned i = 0; i < tables->live; i++) {
        unsigned at = at_index(tables, i);

        if (tables->place[at].end > number)
            tables->place[at].end = number;
    }
}

uint64_t tables_change(struct tables *tables, uint64_t number)
{
    tables->next = tables_align(tables, number);
    tables->cuts = true;
    tables->is_there = false;
    return tables->next;
}

void tables_end(struct tables *tables, uint64_t number)
{
    tables->end = number;
    cut(tables, number);
}

/* --- Places -------------------------------------------------------------------------------- */

/* The places in use are one piece, or two: it goes on at the start of the table where there is no
 * room behind it. */
static bool find_place(const struct tables *tables, uint32_t count, uint32_t *ret)
{
    unsigned newest = at_index(tables, tables->live - 1);
    uint32_t oldest = tables->place[tables->oldest].first, end;

    if (tables->live == 0) {
        *ret = 0;
        return count <= tables->capacity;
    }
    end = tables->place[newest].first + tables->place[newest].count;
    if (tables->place[newest].first < oldest) {
        *ret = end;
        return count <= oldest - end;
    }
    *ret = count <= tables->capacity - end ? end : 0;
    return *ret == end || count <= oldest;
}

static uint32_t length_of_next(const struct tables *tables)
{
    uint64_t left = tables->end - tables->next;

    if (tables->period)
        return tables->period;
    return left < tables->chunk ? (uint32_t)left : tables->chunk;
}

static uint64_t ahead(const struct tables *tables)
{
    return tables->period ? (uint64_t)RENEW_SECONDS * tables->rate
                          : (uint64_t)AHEAD * tables->chunk;
}

static bool is_due(const struct tables *tables, uint64_t now)
{
    return tables->next < tables->end && (tables->is_there || tables->live < TABLES_LIVE_MAX) &&
           (tables->cuts || tables->next <= now + ahead(tables));
}

/* Where nobody fed for a while, what is over is left out. */
static void catch_up(struct tables *tables, uint64_t now)
{
    if (tables->cuts || tables->next == TABLES_NEVER || tables->next >= now)
        return;
    tables->next = tables_align(tables, now);
    tables->is_there = false;
}

/* The place of the segment, which is the newest one. */
static bool take_place(struct tables *tables, struct table_segment *segment)
{
    unsigned at = at_index(tables, tables->live ? tables->live - 1 : 0);
    uint32_t first;

    if (segment->is_there) {
        segment->first = tables->place[at].first;
    } else {
        if (!find_place(tables, segment->count, &first))
            return false;
        if (tables->cuts)
            cut(tables, segment->begin);
        segment->first = first;
        at = at_index(tables, tables->live++);
        tables->place[at].first = first;
        tables->place[at].count = segment->count;
    }
    tables->place[at].end = segment->begin + (uint64_t)segment->count * segment->repeats;
    return true;
}

bool tables_next(struct tables *tables, uint64_t now, uint64_t next, struct table_segment *ret)
{
    struct table_segment segment;

    forget_over(tables, next);
    catch_up(tables, now);
    if (!is_due(tables, now))
        return false;
    segment = (struct table_segment){
        .begin = tables->next,
        .count = length_of_next(tables),
        .repeats = 1,
        .is_there = tables->is_there && tables->live > 0,
        .cuts = tables->cuts && tables->live > 0,
    };
    if (tables->period)
        segment.repeats += HOLD_SECONDS * tables->rate / tables->period;
    if (!take_place(tables, &segment))
        return false;
    tables->next += (uint64_t)segment.count * segment.repeats;
    tables->is_there = tables->period > 0;
    tables->cuts = false;
    *ret = segment;
    return true;
}
