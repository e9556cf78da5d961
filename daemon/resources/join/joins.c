#include "joins.h"

#include "decode.h"
#include "hash.h"
#include "join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct join *join_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct join);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct joins *joins_new(struct netifs *netifs, struct leases *leases,
                        const struct joins_callbacks *callbacks, uint64_t seed)
{
    struct joins *joins = calloc(1, sizeof *joins);

    if (!joins)
        return NULL;
    joins->netifs = netifs;
    joins->leases = leases;
    joins->callbacks = *callbacks;
    joins->seed = seed;
    TAILQ_INIT(&joins->order);
    join_work_init(joins);
    joins->sockets = join_sockets_new(seed);
    if (joins->sockets)
        return joins;
    free(joins);
    return NULL;
}

static const struct pool_words memberships_words = {
    "memberships", "memberships of groups",    "memberships-per-user of netbrokerd.conf(5)",
    NULL,          "Delete some joins first.", false};

void joins_use_pools(struct joins *joins, struct pools *pools)
{
    pools_add(pools, &joins->memberships, &memberships_words);
    joins_set_share(joins, LIMITS_DEFAULT.memberships_per_user);
}

void joins_set_share(struct joins *joins, unsigned share)
{
    pool_bound(&joins->memberships,
               &(struct pool_bounds){JOIN_MEMBERSHIPS_MAX, share, JOIN_MEMBERSHIPS_RESERVE, 1});
}

void joins_free(struct joins *joins)
{
    struct join *join;

    if (!joins)
        return;
    while ((join = TAILQ_FIRST(&joins->order))) {
        TAILQ_REMOVE(&joins->order, join, in_order);
        resource_forget(joins->leases, &join->resource);
        shared_clear(&join->shared);
        if (join->work)
            TAILQ_REMOVE(&join->worker->work[join->work], join, in_work);
        free(join);
    }
    join_work_end(joins);
    hash_clear(&joins->keys);
    join_sockets_free(joins->sockets);
    free(joins);
}

/* --- Finding ------------------------------------------------------------------------------- */

static uint64_t hash_key(const struct joins *joins, const struct join_key *key)
{
    uint64_t hash = hash_address(joins->seed, &key->group.address), words[2];

    memcpy(words, key->iif.text, sizeof words);
    return hash_address(hash_word(hash_word(hash, words[0]), words[1]), &key->source.address);
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

    HASH_FOREACH (join, &joins->keys, hash_key(joins, &wanted), in_keys)
        if (join_key_equal(&join->key, &wanted))
            return join;
    return NULL;
}

const struct join *joins_find(const struct joins *joins, const struct join_key *key)
{
    return find_join(joins, key);
}

/* --- Leases -------------------------------------------------------------------------------- */

static void end_join(struct joins *joins, struct join *join);

void join_leased(struct resource *resource, uid_t uid, bool begins)
{
    struct join *join = join_of_resource(resource);

    if (begins)
        shared_use(&join->shared, uid);
    else
        shared_leave(&join->shared, uid);
    shared_payer(&join->shared, &join->uid);
}

void join_release(struct resource *resource)
{
    struct join *join = join_of_resource(resource);

    end_join(join->joins, join);
}

/* --- Deleting ------------------------------------------------------------------------------ */

/* Joins count who stands at them: most that go are stood at by nobody. */
static void stand_at(struct join_cursor *cursor, struct join *join)
{
    if (cursor->next)
        cursor->next->cursors--;
    cursor->next = join;
    if (join)
        join->cursors++;
}

static void move_cursors(struct joins *joins, const struct join *from, struct join *to)
{
    struct join_cursor *cursor;

    if (from->cursors == 0)
        return;
    LIST_FOREACH (cursor, &joins->cursors, in_open)
        if (cursor->next == from)
            stand_at(cursor, to);
}

static void end_join(struct joins *joins, struct join *join)
{
    struct error error;

    if (join->announced)
        joins->callbacks.event(joins->callbacks.context, JOIN_DELETED_EVENT, join);
    move_cursors(joins, join, TAILQ_NEXT(join, in_order));
    TAILQ_REMOVE(&joins->order, join, in_order);
    hash_remove(&joins->keys, &join->in_keys);
    joins->wanted -= join->size;
    shared_clear(&join->shared);
    join->deleted = true;
    error_set(&error, ERROR_NOT_FOUND, NULL,
              "Another request deleted the join before the kernel had it.");
    waiters_resume(&join->waiters, &error);
    join_plan(joins, join);
}

void join_delete(struct joins *joins, struct join *join)
{
    resource_end_leases(joins->leases, &join->resource);
    end_join(joins, join);
}

bool joins_del(struct joins *joins, const struct join_key *key, const struct holder *holder,
               bool dry_run, bool *ret_kept, struct error *error)
{
    struct join *join = find_join(joins, key);
    char text[JOIN_TEXT_MAX];

    if (!join)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "Invalid argument: there is no join of %s. 'netbroker join show' lists "
                         "them.",
                         join_key_format(key, text));
    if (!resource_may_give_up(&join->resource, holder, error))
        return false;
    *ret_kept = resource_give_up(joins->leases, &join->resource, holder, dry_run);
    return true;
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
    if (interface_name_is_pattern(key->iif.text))
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

static bool check_new(struct joins *joins, const struct join_wish *wish,
                      const struct holder *holder, struct error *error)
{
    struct join_key key = normal(&wish->key);
    unsigned size = join_key_size(&key);

    if (joins->wanted + size > JOIN_MEMBERSHIPS_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The service keeps at most %d memberships, and has %zu; %u more are "
                         "too many. Delete some joins first.",
                         JOIN_MEMBERSHIPS_MAX, joins->wanted, size);
    if (!wish->restores && !pool_may(&joins->memberships, holder->lease.uid,
                                     &(struct pool_request){.more = size}, error))
        return false;
    if (!wish->wait && !netifs_find(joins->netifs, key.iif.text))
        return error_set(
            error, ERROR_NOT_FOUND, "iif",
            "Invalid argument: Interface '%s' not found. 'iif' takes an interface that 'ip "
            "link' lists; with 'wait', also one that does not exist yet.",
            key.iif.text);
    return true;
}

static struct join *new_join(struct joins *joins, const struct join_key *key, uid_t uid)
{
    struct join *join = calloc(1, sizeof *join);

    if (!join)
        return NULL;
    join->joins = joins;
    TAILQ_INIT(&join->waiters);
    join->key = normal(key);
    join->uid = uid;
    join->size = join_key_size(&join->key);
    join->shared = (struct shared){.pool = &joins->memberships, .n = join->size};
    join->serial = joins->serial++;
    resource_init(&join->resource, &join_ops);
    TAILQ_INSERT_TAIL(&joins->order, join, in_order);
    hash_insert(&joins->keys, &join->in_keys, hash_key(joins, &join->key));
    joins->wanted += join->size;
    return join;
}

bool joins_add(struct joins *joins, const struct join_wish *wish, const struct holder *holder,
               enum join_change *ret, struct error *error)
{
    struct join *join = find_join(joins, &wish->key);

    if (!join && (!join_wish_is_sound(wish, error) || !check_new(joins, wish, holder, error)))
        return false;
    if (join && !resource_has_room(&join->resource, holder, error))
        return false;
    *ret = join ? JOIN_UNCHANGED : JOIN_ADDED;
    if (wish->dry_run)
        return true;
    if (!leases_reserve(joins->leases, error))
        return false;
    if (!join)
        join = new_join(joins, &wish->key, holder->lease.uid);
    if (join && lease_begin(joins->leases, &join->resource, holder)) {
        if (!join->work)
            join_plan(joins, join);
        return true;
    }
    if (join && resource_is_free(&join->resource))
        end_join(joins, join);
    return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another join.");
}

bool joins_wait(struct joins *joins, const struct join_key *key, struct waiter *waiter)
{
    struct join *join = find_join(joins, key);

    if (!join || join->announced)
        return false;
    waiters_add(&join->waiters, waiter);
    return true;
}

/* --- Views --------------------------------------------------------------------------------- */

void join_cursor_open(struct join_cursor *cursor, struct joins *joins, uint8_t family)
{
    *cursor = (struct join_cursor){
        .joins = joins,
        .family = family,
        .last_serial = joins->serial,
    };
    stand_at(cursor, TAILQ_FIRST(&joins->order));
    LIST_INSERT_HEAD(&joins->cursors, cursor, in_open);
}

bool join_cursor_look(struct join_cursor *cursor, const struct join **ret)
{
    struct join *join = cursor->next;

    if (!join)
        return false;
    stand_at(cursor, TAILQ_NEXT(join, in_order));
    *ret = join->serial < cursor->last_serial &&
                   (!cursor->family || cursor->family == join->key.group.address.family)
               ? join
               : NULL;
    return true;
}

const struct join *join_cursor_next(struct join_cursor *cursor)
{
    const struct join *join = NULL;

    while (!join && join_cursor_look(cursor, &join))
        ;
    return join;
}

void join_cursor_close(struct join_cursor *cursor)
{
    stand_at(cursor, NULL);
    LIST_REMOVE(cursor, in_open);
}

struct joins_totals joins_totals(const struct joins *joins)
{
    struct joins_totals totals = {
        .joins = joins->keys.count,
        .memberships = join_sockets_memberships(joins->sockets),
        .sockets = join_sockets_count(joins->sockets),
    };
    const struct join *join;

    TAILQ_FOREACH (join, &joins->order, in_order)
        totals.waiting += join_state(join) == JOIN_WAITING;
    return totals;
}
