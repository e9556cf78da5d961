#include "stray.h"

#include <time.h>

uint64_t strays_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec + 1; /* 0 means something else */
}

static bool is_of(const struct stray *stray, const struct upcall *upcall, unsigned ifindex)
{
    return stray->ifindex == ifindex && address_equal(&stray->source, &upcall->source) &&
           address_equal(&stray->group, &upcall->group);
}

/* A flow that is told of again moves to the newest place, so that they are in order of time. */
void strays_note(struct strays *strays, const struct upcall *upcall, unsigned ifindex, uint64_t now)
{
    for (unsigned i = 0; i < STRAYS_MAX; i++)
        if (is_of(&strays->list[i], upcall, ifindex))
            strays->list[i].seen = 0;
    strays->list[strays->next] = (struct stray){upcall->source, upcall->group, ifindex, now};
    strays->next = (strays->next + 1) % STRAYS_MAX;
}

bool stray_waits(const struct stray *stray, uint64_t now)
{
    return stray->seen && stray->seen + STRAY_WAITS_SECONDS >= now;
}

bool strays_waiting(const struct strays *strays, unsigned count, uint64_t now)
{
    return stray_waits(&strays->list[(strays->next + STRAYS_MAX - count) % STRAYS_MAX], now);
}

const struct stray *strays_recent(const struct strays *strays, unsigned skip, uint64_t now)
{
    for (unsigned i = 1; i <= STRAYS_MAX; i++) {
        const struct stray *stray = &strays->list[(strays->next + STRAYS_MAX - i) % STRAYS_MAX];

        if (stray->seen && stray->seen + STRAY_SECONDS >= now && skip-- == 0)
            return stray;
    }
    return NULL;
}
