#include "joins.h"

#include "hash.h"
#include "join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct join *join_of(const struct holding *holding)
{
    return (struct join *)((char *)holding - offsetof(struct join, holding));
}

/* --- Life ---------------------------------------------------------------------------------- */

struct joins *joins_new(struct links *links, const struct joins_callbacks *callbacks, uint64_t seed)
{
    struct joins *joins = calloc(1, sizeof *joins);

    if (!joins)
        return NULL;
    joins->links = links;
    joins->callbacks = *callbacks;
    joins->seed = seed;
    TAILQ_INIT(&joins->order);
    for (int i = 0; i < WORK_COUNT; i++)
        TAILQ_INIT(&joins->work[i]);
    joins->sockets = join_sockets_new(seed);
    if (joins->sockets)
        return joins;
    free(joins);
    return NULL;
}

void joins_free(struct joins *joins)
{
    struct join *join;

    if (!joins)
        return;
    while ((join = TAILQ_FIRST(&joins->order))) {
        TAILQ_REMOVE(&joins->order, join, in_order);
        if (join->work)
            TAILQ_REMOVE(&joins->work[join->work], join, in_work);
        holding_clear(&join->holding);
        free(join);
    }
    for (int i = 0; i < WORK_COUNT; i++)
        while ((join = TAILQ_FIRST(&joins->work[i]))) {
            TAILQ_REMOVE(&joins->work[i], join, in_work);
            free(join);
        }
    join_sockets_free(joins->sockets);
    free(joins);
}

/* --- Finding ------------------------------------------------------------------------------- */

static struct join_bucket *bucket_of(struct joins *joins, const struct join_key *key)
{
    uint64_t hash = hash_address(joins->seed, &key->group.address), words[2];

    memcpy(words, key->iif.text, sizeof words);
    hash = hash_address(hash_word(hash_word(hash, words[0]), words[1]), &key->source.address);
    return &joins->buckets[hash % JOIN_BUCKETS];
}

/* Of two ways to say "any source" one remains, and names have zeros behind them. */
static struct join_key normal(const struct join_key *key)
{
    struct join_key copy = {.group = key->group};

    if (key->source.address.family && !address_is_any(&key->source.address))
        copy.source = key->source;
    snprintf(copy.iif.text, sizeof copy.iif.text, "%s", key->iif.text);
    return copy;
}

static struct join *find_join(const struct joins *joins, const struct join_key *key)
{
    struct join_key wanted = normal(key);
    struct join *join;

    LIST_FOREACH (join, bucket_of((struct joins *)joins, &wanted), in_bucket)
        if (join_key_equal(&join->key, &wanted))
            return join;
    return NULL;
}

const struct join *joins_find(const struct joins *joins, const struct join_key *key)
{
    return find_join(joins, key);
}

const struct hold *join_hold(const struct join *join, const struct owner *owner)
{
    return holding_find(&join->holding, owner);
}

/* --- Holds --------------------------------------------------------------------------------- */

static void end_hold(struct joins *joins, const struct join *join, struct hold *hold)
{
    if (hold->kind != HOLD_FOUND)
        joins->callbacks.hold_ends(joins->callbacks.context, join, hold);
    hold_release(hold);
}

/* Ends one hold; with the last one goes the join. Returns whether it went. */
static bool let_go(struct hold *hold)
{
    struct join *join = join_of(hold->holding);
    struct joins *joins = join->joins;

    end_hold(joins, join, hold);
    if (!holding_is_empty(&join->holding))
        return false;
    join_delete(joins, join);
    return true;
}

static void session_ended(struct hold *hold)
{
    let_go(hold);
}

static const struct holding_class holding_class = {session_ended};

static bool hold_join(struct joins *joins, struct join *join, const struct owner *owner)
{
    bool is_new;
    struct hold *hold = holding_add(&join->holding, owner, &is_new);

    if (hold && is_new && owner->kind != HOLD_FOUND)
        joins->callbacks.hold_begins(joins->callbacks.context, join, hold);
    return hold != NULL;
}

/* --- Deleting ------------------------------------------------------------------------------ */

static void move_cursors(struct joins *joins, const struct join *from, struct join *to)
{
    for (struct join_cursor *cursor = joins->cursors; cursor; cursor = cursor->link)
        if (cursor->next == from)
            cursor->next = to;
}

void join_delete(struct joins *joins, struct join *join)
{
    struct hold *hold;
    struct error error;

    while ((hold = LIST_FIRST(&join->holding.holds)))
        end_hold(joins, join, hold);
    if (join->announced)
        joins->callbacks.news(joins->callbacks.context, JOIN_DELETED_NEWS, join);
    move_cursors(joins, join, TAILQ_NEXT(join, in_order));
    TAILQ_REMOVE(&joins->order, join, in_order);
    LIST_REMOVE(join, in_bucket);
    joins->count--;
    joins->wanted -= join->size;
    join->deleted = true;
    error_set(&error, ERROR_NOT_FOUND, NULL,
              "Another request deleted the join before the kernel had it.");
    join_resume_waiters(join, &error);
    join_plan(joins, join);
}

/* The hold is one that the owner may let go by itself. */
static bool is_own(const struct hold *hold, const struct owner *owner)
{
    if (hold->kind == HOLD_USER)
        return hold->lease.uid == owner->lease.uid;
    return hold->kind == HOLD_FOUND ||
           (hold->kind == HOLD_SESSION && hold->session == owner->session);
}

static unsigned count_own(const struct join *join, const struct owner *owner)
{
    const struct hold *hold;
    unsigned count = 0;

    LIST_FOREACH (hold, &join->holding.holds, in_holding)
        count += is_own(hold, owner);
    return count;
}

/* Returns whether the join went. */
static bool let_go_own(struct join *join, const struct owner *owner)
{
    struct hold *hold, *next;

    for (hold = LIST_FIRST(&join->holding.holds); hold; hold = next) {
        next = LIST_NEXT(hold, in_holding);
        if (is_own(hold, owner) && let_go(hold))
            return true;
    }
    return false;
}

bool joins_del(struct joins *joins, const struct join_key *key, const struct owner *owner,
               bool dry_run, bool *ret_kept, struct error *error)
{
    struct join *join = find_join(joins, key);
    unsigned own = join ? count_own(join, owner) : 0;
    char text[JOIN_TEXT_MAX];

    if (!join)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "Invalid argument: there is no join of %s. 'netbroker join show' lists "
                         "them.",
                         join_key_format(key, text));
    if (own == 0 && !owner->administrator)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "Only others hold this join; 'netbroker leases' shows who. They or an "
                         "administrator can delete it.");
    *ret_kept = own > 0 && own < holding_count(&join->holding);
    if (dry_run)
        return true;
    if (own > 0)
        let_go_own(join, owner);
    else
        join_delete(joins, join);
    return true;
}

/* Lets go of all holds that `matches` says; returns how many. */
static size_t let_go_all(struct joins *joins,
                         bool (*matches)(const struct hold *hold, uint64_t argument),
                         uint64_t argument)
{
    struct join *join, *next_join;
    struct hold *hold, *next;
    size_t count = 0;

    for (join = TAILQ_FIRST(&joins->order); join; join = next_join) {
        bool gone = false;

        next_join = TAILQ_NEXT(join, in_order);
        for (hold = LIST_FIRST(&join->holding.holds); hold && !gone; hold = next) {
            next = LIST_NEXT(hold, in_holding);
            if (!matches(hold, argument))
                continue;
            count++;
            gone = let_go(hold);
        }
    }
    return count;
}

static bool has_lease(const struct hold *hold, uint64_t lease)
{
    return hold->lease.id == lease;
}

bool joins_revoke(struct joins *joins, uint64_t lease)
{
    return let_go_all(joins, has_lease, lease) > 0;
}

static bool is_older(const struct hold *hold, uint64_t generation)
{
    return hold->kind == HOLD_CONFIGURATION && hold->generation != generation;
}

size_t joins_sweep(struct joins *joins, uint32_t generation)
{
    return let_go_all(joins, is_older, generation);
}

/* --- Adding -------------------------------------------------------------------------------- */

bool join_wish_is_sound(const struct join_wish *wish, struct error *error)
{
    const struct join_key *key = &wish->key;
    uint8_t source = key->source.address.family, group = key->group.address.family;
    struct join_key wanted = normal(key);

    if (source && source != group)
        return error_set(error, ERROR_INVALID_ADDRESS, "source",
                         "Invalid argument: 'source' is an %s address and 'group' an %s one; both "
                         "take the same family.",
                         source == FAMILY_IPV4 ? "IPv4" : "IPv6",
                         group == FAMILY_IPV4 ? "IPv4" : "IPv6");
    if (key->iif.text[strlen(key->iif.text) - 1] == '+')
        return error_set(error, ERROR_INVALID_NAME, "iif",
                         "Invalid argument: '%s' is a pattern; 'iif' of a join takes the name of "
                         "one interface.",
                         key->iif.text);
    if (join_key_size(&wanted) > JOIN_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "group",
                         "Invalid argument: these prefixes have more than %d memberships, the "
                         "limit for one join. Name a longer prefix of groups, or of sources.",
                         JOIN_SIZE_MAX);
    return true;
}

static bool check_new(const struct joins *joins, const struct join_wish *wish, struct error *error)
{
    struct join_key key = normal(&wish->key);
    unsigned size = join_key_size(&key);

    if (joins->wanted + size > JOIN_MEMBERSHIPS_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The service keeps at most %d memberships, and has %zu; %u more are "
                         "too many. Delete some joins first.",
                         JOIN_MEMBERSHIPS_MAX, joins->wanted, size);
    if (!wish->wait && !links_find(joins->links, key.iif.text))
        return error_set(
            error, ERROR_NOT_FOUND, "iif",
            "Invalid argument: Interface '%s' not found. 'iif' takes an interface that 'ip "
            "link' lists; with 'wait', also one that does not exist yet.",
            key.iif.text);
    return true;
}

static struct join *new_join(struct joins *joins, const struct join_key *key)
{
    struct join *join = calloc(1, sizeof *join);

    if (!join)
        return NULL;
    join->joins = joins;
    join->key = normal(key);
    join->size = join_key_size(&join->key);
    join->serial = joins->serial++;
    holding_init(&join->holding, &holding_class);
    TAILQ_INSERT_TAIL(&joins->order, join, in_order);
    LIST_INSERT_HEAD(bucket_of(joins, &join->key), join, in_bucket);
    joins->count++;
    joins->wanted += join->size;
    return join;
}

bool joins_add(struct joins *joins, const struct join_wish *wish, const struct owner *owner,
               enum join_change *ret, struct error *error)
{
    struct join *join = find_join(joins, &wish->key);

    if (!join && (!join_wish_is_sound(wish, error) || !check_new(joins, wish, error)))
        return false;
    if (join && !holding_has_room(&join->holding, owner, error))
        return false;
    *ret = join ? JOIN_UNCHANGED : JOIN_ADDED;
    if (wish->dry_run)
        return true;
    if (!join)
        join = new_join(joins, &wish->key);
    if (join && hold_join(joins, join, owner)) {
        if (!join->work)
            join_plan(joins, join);
        return true;
    }
    if (join && holding_is_empty(&join->holding))
        join_delete(joins, join);
    return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another join.");
}

bool joins_wait(struct joins *joins, const struct join_key *key, struct join_waiter *waiter)
{
    struct join *join = find_join(joins, key);

    if (!join || join->announced)
        return false;
    LIST_INSERT_HEAD(&join->waiters, waiter, in_join);
    waiter->waiting = true;
    return true;
}

void join_waiter_cancel(struct join_waiter *waiter)
{
    if (!waiter->waiting)
        return;
    LIST_REMOVE(waiter, in_join);
    waiter->waiting = false;
}

/* --- Views --------------------------------------------------------------------------------- */

void join_cursor_open(struct join_cursor *cursor, struct joins *joins,
                      const struct join_filter *filter)
{
    *cursor = (struct join_cursor){
        .joins = joins,
        .filter = *filter,
        .next = TAILQ_FIRST(&joins->order),
        .last_serial = joins->serial,
        .link = joins->cursors,
    };
    joins->cursors = cursor;
}

const struct join *join_cursor_next(struct join_cursor *cursor)
{
    struct join *join;

    while ((join = cursor->next)) {
        cursor->next = TAILQ_NEXT(join, in_order);
        if (join->serial < cursor->last_serial &&
            (!cursor->filter.family || cursor->filter.family == join->key.group.address.family))
            return join;
    }
    return NULL;
}

void join_cursor_close(struct join_cursor *cursor)
{
    struct join_cursor **at = &cursor->joins->cursors;

    while (*at != cursor)
        at = &(*at)->link;
    *at = cursor->link;
}

struct joins_totals joins_totals(const struct joins *joins)
{
    struct joins_totals totals = {
        .joins = joins->count,
        .wanted = joins->wanted,
        .memberships = join_sockets_memberships(joins->sockets),
        .sockets = join_sockets_count(joins->sockets),
    };
    const struct join *join;
    struct join_view view;

    TAILQ_FOREACH (join, &joins->order, in_order) {
        join_describe(join, &view);
        totals.waiting += view.state == JOIN_WAITING;
    }
    return totals;
}
