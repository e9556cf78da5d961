#include "operations.h"

#include "keeper/operations.h"
#include "platform/joins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(JOIN_SOCKETS_MAX + 16 + 64 <= LENT_MAX,
               "there is room for what the other kinds keep, too");

static void format_name(char *name, uint32_t generation, unsigned number)
{
    snprintf(name, KEPT_NAME_MAX + 1, "join-%u-%u", generation, number);
}

/* 0: it is no socket's. */
static uint32_t generation_of(const char *name)
{
    char again[KEPT_NAME_MAX + 1];
    unsigned generation, number;

    if (sscanf(name, "join-%u-%u", &generation, &number) != 2)
        return 0;
    format_name(again, generation, number);
    return strcmp(name, again) == 0 && generation < UINT32_MAX ? generation : 0;
}

static bool accept_socket(struct kept *kept, const char *name, int fd)
{
    uint32_t generation = generation_of(name);

    (void)fd;
    if (generation > kept->generation)
        kept->generation = generation;
    return generation > 0;
}

/* How many sockets of the generation there are. */
static unsigned count_sockets(const struct kept *kept, uint32_t generation)
{
    char name[KEPT_NAME_MAX + 1];
    size_t length = (size_t)snprintf(name, sizeof name, "join-%u-", generation);
    unsigned count = 0;

    for (size_t i = 0; i < kept->count; i++)
        count += memcmp(kept->entries[i].name, name, length) == 0;
    return count;
}

static void drop_others(struct kept *kept, uint32_t generation)
{
    for (size_t i = kept->count; i > 0; i--) {
        const char *name = kept->entries[i - 1].name;
        uint32_t of = generation_of(name);

        if (of && of != generation)
            kept_remove(kept, name);
    }
}

/* Of several generations the oldest is complete: it would have gone otherwise. */
static void drop_incomplete(struct kept *kept)
{
    uint32_t oldest = UINT32_MAX;

    for (size_t i = 0; i < kept->count; i++) {
        uint32_t of = generation_of(kept->entries[i].name);

        if (of && of < oldest)
            oldest = of;
    }
    drop_others(kept, oldest);
}

const struct keeper_kind join_kept = {
    .prefix = "join-",
    .most = 2 * (size_t)JOIN_SOCKETS_MAX,
    .accept = accept_socket,
    .broker_begins = drop_incomplete,
};

/* --- Operations ---------------------------------------------------------------------------- */

int join_check_family(const struct operations *operations, const struct keeper_request *request)
{
    (void)operations;
    return request->family == FAMILY_IPV4 || request->family == FAMILY_IPV6 ? 0 : -EINVAL;
}

int join_lend_socket(struct operations *operations, const struct keeper_request *request,
                     struct keeper_answer *answer)
{
    struct kept *kept = operations->kept;
    unsigned count = count_sockets(kept, kept->generation);
    char name[KEPT_NAME_MAX + 1];
    int fd, result;

    (void)answer;
    format_name(name, kept->generation, count + 1);
    result = count < JOIN_SOCKETS_MAX ? kept_judge(kept, name) : -ENFILE;
    if (result < 0)
        return result;
    fd = joins_socket_open((uint8_t)request->family);
    if (fd >= 0)
        kept_add(kept, name, fd);
    return fd;
}

int join_complete(struct operations *operations, const struct keeper_request *request,
                  struct keeper_answer *answer)
{
    (void)request;
    (void)answer;
    drop_others(operations->kept, operations->kept->generation);
    return 0;
}
