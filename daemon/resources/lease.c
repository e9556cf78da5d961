#include "lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ID_BYTES = LEASE_ID_LENGTH / 2 };

struct lease lease_new(struct lease_source *source, uid_t uid)
{
    struct lease lease = {.uid = uid, .since = (int64_t)time(NULL)};

    if (source->left < ID_BYTES && getentropy(source->bytes, sizeof source->bytes) == 0)
        source->left = sizeof source->bytes;
    if (source->left < ID_BYTES)
        return lease;
    source->left -= ID_BYTES;
    memcpy(&lease.id, source->bytes + source->left, ID_BYTES);
    return lease;
}

const char *lease_id_format(uint64_t id, char *text)
{
    snprintf(text, LEASE_ID_SIZE, "%0*llx", LEASE_ID_LENGTH,
             (unsigned long long)(id & 0xffffffffffffULL));
    return text;
}

bool lease_id_parse(const char *text, uint64_t *ret)
{
    if (strlen(text) != LEASE_ID_LENGTH ||
        strspn(text, "0123456789abcdef") != (size_t)LEASE_ID_LENGTH)
        return false;
    *ret = strtoull(text, NULL, 16);
    return *ret != 0;
}

/* --- Holds --------------------------------------------------------------------------------- */

const char *hold_kind_word(enum hold_kind kind)
{
    static const char *const words[] = {
#define H(name, word) word,
        HOLD_KINDS(H)
#undef H
    };

    return words[kind];
}

void holding_init(struct holding *holding, const struct holding_class *class)
{
    LIST_INIT(&holding->holds);
    holding->class = class;
}

struct hold *holding_find(const struct holding *holding, const struct owner *owner)
{
    struct hold *hold;

    LIST_FOREACH (hold, &holding->holds, in_holding)
        if (hold->kind == owner->kind && hold->lease.uid == owner->lease.uid &&
            hold->session == owner->session)
            return hold;
    return NULL;
}

bool holding_has_others(const struct holding *holding, const struct owner *owner)
{
    const struct hold *hold;

    LIST_FOREACH (hold, &holding->holds, in_holding)
        if (hold->kind != HOLD_FOUND &&
            (hold->lease.uid != owner->lease.uid ||
             (hold->kind == HOLD_CONFIGURATION) != (owner->kind == HOLD_CONFIGURATION)))
            return true;
    return false;
}

bool holding_is_empty(const struct holding *holding)
{
    return LIST_EMPTY(&holding->holds);
}

unsigned holding_count(const struct holding *holding)
{
    const struct hold *hold;
    unsigned count = 0;

    LIST_FOREACH (hold, &holding->holds, in_holding)
        count++;
    return count;
}

const struct hold *holding_first(const struct holding *holding)
{
    return LIST_FIRST(&holding->holds);
}

static void append_hold(struct holding *holding, struct hold *hold)
{
    struct hold *last = LIST_FIRST(&holding->holds);

    while (last && LIST_NEXT(last, in_holding))
        last = LIST_NEXT(last, in_holding);
    if (last)
        LIST_INSERT_AFTER(last, hold, in_holding);
    else
        LIST_INSERT_HEAD(&holding->holds, hold, in_holding);
    hold->holding = holding;
}

bool holding_has_room(const struct holding *holding, const struct owner *owner, struct error *error)
{
    return holding_count(holding) < HOLDS_MAX || holding_find(holding, owner) ||
           error_set(error, ERROR_LIMIT, NULL,
                     "%d users or connections hold it already, which is the limit; 'netbroker "
                     "leases' lists them.",
                     HOLDS_MAX);
}

struct hold *holding_add(struct holding *holding, const struct owner *owner, bool *ret_new)
{
    struct hold *hold = holding_find(holding, owner);

    *ret_new = !hold;
    if (hold) {
        hold->generation = owner->generation;
        return hold;
    }
    hold = calloc(1, sizeof *hold);
    if (!hold)
        return NULL;
    hold->kind = (uint8_t)owner->kind;
    hold->lease = owner->lease;
    hold->generation = owner->generation;
    hold->session = owner->session;
    if (hold->session)
        LIST_INSERT_HEAD(hold->session, hold, in_session);
    append_hold(holding, hold);
    return hold;
}

void holding_move(struct holding *to, struct holding *from)
{
    struct hold *hold;

    while ((hold = LIST_FIRST(&from->holds))) {
        LIST_REMOVE(hold, in_holding);
        append_hold(to, hold);
    }
}

void hold_release(struct hold *hold)
{
    LIST_REMOVE(hold, in_holding);
    if (hold->session)
        LIST_REMOVE(hold, in_session);
    free(hold);
}

void holding_clear(struct holding *holding)
{
    struct hold *hold = LIST_FIRST(&holding->holds), *next;

    for (; hold; hold = next) {
        next = LIST_NEXT(hold, in_holding);
        hold_release(hold);
    }
}

void session_holds_end(struct session_holds *holds)
{
    struct hold *hold;

    while ((hold = LIST_FIRST(holds)))
        hold->holding->class->session_ended(hold);
}
