#include "unrouted.h"

#include <time.h>

uint64_t unrouted_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec + 1; /* 0 means something else */
}

static bool is_of(const struct unrouted_flow *flow, const struct upcall *upcall, unsigned ifindex)
{
    return flow->ifindex == ifindex && address_equal(&flow->source, &upcall->source) &&
           address_equal(&flow->group, &upcall->group);
}

/* A flow that is told of again moves to the newest place, so that they are in order of time. */
void unrouted_note(struct unrouted *unrouted, const struct upcall *upcall, unsigned ifindex,
                   uint64_t now)
{
    for (unsigned i = 0; i < UNROUTED_MAX; i++)
        if (is_of(&unrouted->list[i], upcall, ifindex))
            unrouted->list[i].seen = 0;
    unrouted->list[unrouted->next] =
        (struct unrouted_flow){upcall->source, upcall->group, ifindex, now};
    unrouted->next = (unrouted->next + 1) % UNROUTED_MAX;
}

bool unrouted_flow_waits(const struct unrouted_flow *flow, uint64_t now)
{
    return flow->seen && flow->seen + UNROUTED_WAITS_SECONDS >= now;
}

bool unrouted_is_full(const struct unrouted *unrouted, unsigned count, uint64_t now)
{
    return unrouted_flow_waits(
        &unrouted->list[(unrouted->next + UNROUTED_MAX - count) % UNROUTED_MAX], now);
}

const struct unrouted_flow *unrouted_recent(const struct unrouted *unrouted, unsigned skip,
                                            uint64_t now)
{
    for (unsigned i = 1; i <= UNROUTED_MAX; i++) {
        const struct unrouted_flow *flow =
            &unrouted->list[(unrouted->next + UNROUTED_MAX - i) % UNROUTED_MAX];

        if (flow->seen && flow->seen + UNROUTED_SECONDS >= now && skip-- == 0)
            return flow;
    }
    return NULL;
}
