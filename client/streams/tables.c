#include "tables.h"

#include <string.h>

enum {
    PARTS = 4,        /* segments that are fed in a second */
    AHEAD = 2,        /* of them beside the one that is played */
    PERIODS = 4,      /* places for segments: changes may follow each other */
    CHUNKS = 5,       /* likewise: one that is played, two ahead, two of a change */
    SLACK_FRAMES = 2, /* a segment may be over a moment after its last sample */
};

#define MICRO UINT64_C(1000000)

static uint64_t gcd(uint64_t a, uint64_t b)
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
    samples = turns / gcd(turns, microhertz);
    if (samples > rate)
        return 0;
    whole = samples / gcd(samples, asdus) * asdus;
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
    return tables->next;
}

void tables_end(struct tables *tables, uint64_t number)
{
    tables->end = number;
    cut(tables, number);
}

/* --- Places -------------------------------------------------------------------------------- */

/* The places in use are one piece, or two: it goes on at the begin of the table where there is no
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

static bool is_due(const struct tables *tables, uint64_t now)
{
    return tables->next < tables->end && tables->live < TABLES_LIVE_MAX &&
           (tables->cuts || tables->next <= now + (uint64_t)AHEAD * tables->chunk);
}

/* Where nobody fed for a while, what is over is left out. */
static void catch_up(struct tables *tables, uint64_t now)
{
    if (!tables->period && tables->next != TABLES_NEVER && tables->next < now)
        tables->next = tables_align(tables, now);
}

bool tables_next(struct tables *tables, uint64_t now, uint64_t next, struct table_segment *ret)
{
    uint32_t count, first;
    unsigned at;

    forget_over(tables, next);
    catch_up(tables, now);
    if (!is_due(tables, now))
        return false;
    count = length_of_next(tables);
    if (!find_place(tables, count, &first))
        return false;
    if (tables->cuts)
        cut(tables, tables->next);
    *ret = (struct table_segment){
        tables->next, first, count, tables->period > 0, tables->cuts && tables->live > 0,
    };
    at = at_index(tables, tables->live++);
    tables->place[at].first = first;
    tables->place[at].count = count;
    tables->place[at].end = tables->period ? tables->end : tables->next + count;
    tables->next = tables->period ? TABLES_NEVER : tables->next + count;
    tables->cuts = false;
    return true;
}

bool tables_are_complete(const struct tables *tables)
{
    return tables->next == TABLES_NEVER || tables->next >= tables->end;
}
