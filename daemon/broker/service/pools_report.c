#include "pools_report.h"

#include "broker/metrics.h"

#include <inttypes.h>

static void write_pool(const struct pool *pool, const struct account *largest, struct json *out)
{
    json_open(out, '{');
    json_member_string(out, "name", pool->words->name);
    json_member_unsigned(out, "used", pool->used);
    json_member_unsigned(out, "size", pool->bounds.size);
    json_member_unsigned(out, "share", pool->bounds.share);
    json_member_unsigned(out, "refused", pool->refused);
    if (largest) {
        json_member_unsigned(out, "largest_uid", largest->uid);
        json_member_unsigned(out, "largest_used", largest->used[pool->place]);
    }
    json_close(out, '}');
}

static bool reads_all(const struct reader *reader)
{
    struct target everything = {0};

    return reader_may_read(reader, "policy.read", &everything);
}

/* The pool of this place, if there is one of which the reader may hear. */
static const struct pool *pool_at(const struct pools *pools, unsigned place, bool all)
{
    const struct pool *pool = pools->list[place];

    return pool && (all || !pool->words->tells) ? pool : NULL;
}

void pools_write_status(const struct pools *pools, const struct reader *reader, struct json *out)
{
    const struct account *largest[POOLS_MAX];
    bool all = reads_all(reader);

    pools_find_largest(pools, largest);
    json_key(out, "pools");
    json_open(out, '[');
    for (unsigned i = 0; i < POOLS_MAX; i++)
        if (pool_at(pools, i, all))
            write_pool(pools->list[i], all ? largest[i] : NULL, out);
    json_close(out, ']');
}

static uint64_t used_of(const struct pool *pool, const struct account *largest)
{
    (void)largest;
    return pool->used;
}

static uint64_t size_of(const struct pool *pool, const struct account *largest)
{
    (void)largest;
    return pool->bounds.size;
}

static uint64_t largest_of(const struct pool *pool, const struct account *largest)
{
    return largest ? largest->used[pool->place] : 0;
}

static uint64_t refused_of(const struct pool *pool, const struct account *largest)
{
    (void)largest;
    return pool->refused;
}

static const struct {
    const char *name, *help;
    uint64_t (*value)(const struct pool *pool, const struct account *largest);
} metrics[] = {
    {"pool_used", "What users have of each pool.", used_of},
    {"pool_size", "How much there is of each pool.", size_of},
    {"pool_largest_user", "What the user has who has most of each pool.", largest_of},
    {"pool_refused_total", "Requests for more of a pool that were refused.", refused_of},
};

void pools_write_metrics(const struct pools *pools, const struct reader *reader, struct json *out)
{
    const struct account *largest[POOLS_MAX];
    bool all = reads_all(reader);

    pools_find_largest(pools, largest);
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        metric_head(out, metrics[m].name, metrics[m].help);
        for (unsigned i = 0; i < POOLS_MAX; i++)
            if (pool_at(pools, i, all))
                metric_line(out, "netbroker_%s{pool=\"%s\"} %" PRIu64, metrics[m].name,
                            pools->list[i]->words->name,
                            metrics[m].value(pools->list[i], largest[i]));
    }
}
