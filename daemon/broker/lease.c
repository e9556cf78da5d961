#include "lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ID_BYTES = LEASE_ID_LENGTH / 2 };

/* --- Ids ----------------------------------------------------------------------------------- */

struct lease_info lease_prepare(struct leases *leases, uid_t uid)
{
    struct lease_info info = {.uid = uid, .since = (int64_t)time(NULL)};

    if (leases->random_left < ID_BYTES && getentropy(leases->random, sizeof leases->random) == 0)
        leases->random_left = sizeof leases->random;
    if (leases->random_left < ID_BYTES)
        return info;
    leases->random_left -= ID_BYTES;
    memcpy(&info.id, leases->random + leases->random_left, ID_BYTES);
    return info;
}

const char *lease_time_format(int64_t since, char *text)
{
    time_t seconds = (time_t)since;
    struct tm date;

    gmtime_r(&seconds, &date);
    strftime(text, LEASE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &date);
    return text;
}

const char *lease_id_format(uint64_t id, char *text)
{
    for (int i = LEASE_ID_LENGTH - 1; i >= 0; i--, id >>= 4)
        text[i] = "0123456789abcdef"[id & 15];
    text[LEASE_ID_LENGTH] = '\0';
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

/* --- Words --------------------------------------------------------------------------------- */

static const char *const kind_words[] = {
#define H(name, word) word,
    HOLDER_KINDS(H)
#undef H
};

const char *holder_kind_word(enum holder_kind kind)
{
    return kind_words[kind];
}

bool holder_kind_find(const char *word, enum holder_kind *ret)
{
    for (enum holder_kind kind = 0; kind < HOLDER_KIND_COUNT; kind++)
        if (strcmp(kind_words[kind], word) == 0) {
            *ret = kind;
            return true;
        }
    return false;
}

/* --- Holders ------------------------------------------------------------------------------- */

/* One to one: only users are several of a kind. */
static uint64_t holding_key(enum holder_kind kind, uid_t uid)
{
    return hash_word(0, (uint64_t)kind << 32 | (kind == HOLDER_USER ? uid : 0));
}

static struct holding *find_holding(const struct leases *leases, uint64_t key)
{
    struct holding *holding;

    HASH_FOREACH (holding, &leases->holders, key, in_holders)
        return holding;
    return NULL;
}

/* With the memory that was reserved. */
static struct holding *new_holding(struct leases *leases, uint64_t key)
{
    struct holding *holding = leases->spare_holding;

    leases->spare_holding = NULL;
    holding->key = key;
    TAILQ_INIT(&holding->leases);
    hash_insert(&leases->holders, &holding->in_holders, key);
    return holding;
}

static void join_holder(struct leases *leases, struct lease *lease, const struct holder *holder)
{
    lease->holder = holder->session;
    if (holder->kind != HOLDER_SESSION) {
        uint64_t key = holding_key(holder->kind, holder->lease.uid);
        struct holding *holding = find_holding(leases, key);

        lease->holder = &(holding ? holding : new_holding(leases, key))->leases;
    }
    TAILQ_INSERT_TAIL(lease->holder, lease, in_holder);
}

static void leave_holder(struct leases *leases, struct lease *lease)
{
    struct holding *holding = HASH_ELEMENT(lease->holder, holding, leases);

    TAILQ_REMOVE(lease->holder, lease, in_holder);
    if (lease->kind == HOLDER_SESSION || !TAILQ_EMPTY(lease->holder))
        return;
    hash_remove(&leases->holders, &holding->in_holders);
    free(holding);
}

/* --- The registry -------------------------------------------------------------------------- */

void leases_init(struct leases *leases, const struct leases_host *host)
{
    *leases = (struct leases){.host = *host};
    TAILQ_INIT(&leases->order);
}

static void register_lease(struct leases *leases, struct lease *lease)
{
    lease->serial = leases->serial++;
    TAILQ_INSERT_TAIL(&leases->order, lease, in_order);
    hash_insert(&leases->by_id, &lease->in_ids, lease->info.id);
}

static struct lease *next_of(const struct lease_cursor *cursor, const struct lease *lease)
{
    return cursor->of_holder ? TAILQ_NEXT(lease, in_holder) : TAILQ_NEXT(lease, in_order);
}

/* Leases count who stands at them: most that end are stood at by nobody. */
static void stand_at(struct lease_cursor *cursor, struct lease *lease)
{
    if (cursor->next)
        cursor->next->cursors--;
    cursor->next = lease;
    if (lease)
        lease->cursors++;
}

static void move_cursors(struct leases *leases, const struct lease *lease)
{
    struct lease_cursor *cursor;

    if (lease->cursors == 0)
        return;
    LIST_FOREACH (cursor, &leases->cursors, in_open)
        if (cursor->next == lease)
            stand_at(cursor, next_of(cursor, lease));
}

static void free_lease(struct leases *leases, struct lease *lease)
{
    move_cursors(leases, lease);
    TAILQ_REMOVE(&leases->order, lease, in_order);
    hash_remove(&leases->by_id, &lease->in_ids);
    LIST_REMOVE(lease, in_resource);
    leave_holder(leases, lease);
    free(lease);
}

void leases_clear(struct leases *leases)
{
    hash_clear(&leases->by_id);
    hash_clear(&leases->holders);
    free(leases->spare);
    free(leases->spare_holding);
    *leases = (struct leases){0};
}

struct lease *leases_find(const struct leases *leases, uint64_t id)
{
    struct lease *lease;

    HASH_FOREACH (lease, &leases->by_id, id, in_ids)
        return lease;
    return NULL;
}

/* --- Beginning ----------------------------------------------------------------------------- */

static void append_lease(struct resource *resource, struct lease *lease)
{
    struct lease *last = LIST_FIRST(&resource->leases);

    while (last && LIST_NEXT(last, in_resource))
        last = LIST_NEXT(last, in_resource);
    if (last)
        LIST_INSERT_AFTER(last, lease, in_resource);
    else
        LIST_INSERT_HEAD(&resource->leases, lease, in_resource);
    lease->resource = resource;
}

static void tell_end(struct leases *leases, const struct lease *lease)
{
    leases->host.ends(leases->host.context, lease);
}

static void drop_found(struct leases *leases, struct resource *resource)
{
    struct lease *lease, *next;

    for (lease = LIST_FIRST(&resource->leases); lease; lease = next) {
        next = LIST_NEXT(lease, in_resource);
        if (lease->kind == HOLDER_FOUND) {
            tell_end(leases, lease);
            free_lease(leases, lease);
        }
    }
}

static bool reserve_memory(struct leases *leases)
{
    if (!leases->spare)
        leases->spare = calloc(1, sizeof *leases->spare);
    if (!leases->spare_holding)
        leases->spare_holding = calloc(1, sizeof *leases->spare_holding);
    return leases->spare && leases->spare_holding;
}

/* Whether it can be kept, and this number of other changes, each of a resource that as many hold as
 * may. */
static bool has_room(const struct leases *leases, size_t count, size_t n, size_t others,
                     struct error *error)
{
    count += others * RESOURCE_LEASES_MAX;
    n += others * RESOURCE_LEASES_MAX * LEASE_LINE_SIZE;
    if (leases->promised.to && leases->promised.to != leases->transaction) {
        count += leases->promised.count;
        n += leases->promised.n;
    }
    return !leases->host.has_room || leases->host.has_room(leases->host.context, count, n, error);
}

bool leases_have_room(const struct leases *leases, size_t count, size_t n, struct error *error)
{
    return has_room(leases, count, n, 2, error);
}

bool leases_reserve(struct leases *leases, struct error *error)
{
    if (!has_room(leases, 0, 0, 1, error))
        return false;
    return reserve_memory(leases) ||
           error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another lease.");
}

struct transaction *leases_use(struct leases *leases, struct transaction *transaction)
{
    struct transaction *before = leases->transaction;

    leases->transaction = transaction;
    return before;
}

void leases_promise(struct leases *leases, size_t count, size_t n)
{
    leases->promised.to = leases->transaction;
    leases->promised.count = count;
    leases->promised.n = n;
}

void leases_commit(struct leases *leases, struct transaction *transaction)
{
    if (leases->promised.to == transaction)
        leases->promised.to = NULL;
    if (leases->host.commit)
        leases->host.commit(leases->host.context, transaction);
}

static struct lease *new_lease(struct leases *leases, struct resource *resource,
                               const struct holder *holder)
{
    struct lease *lease;

    if (!reserve_memory(leases))
        return NULL;
    lease = leases->spare;
    leases->spare = NULL;
    if (holder->kind != HOLDER_FOUND)
        drop_found(leases, resource);
    lease->kind = (uint8_t)holder->kind;
    lease->info = holder->lease;
    lease->generation = holder->generation;
    join_holder(leases, lease, holder);
    append_lease(resource, lease);
    register_lease(leases, lease);
    return lease;
}

struct lease *lease_begin(struct leases *leases, struct resource *resource,
                          const struct holder *holder)
{
    struct lease *lease = resource_lease(resource, holder);

    if (lease) {
        lease->generation = holder->generation;
        return lease;
    }
    lease = new_lease(leases, resource, holder);
    if (lease)
        leases->host.begins(leases->host.context, lease);
    return lease;
}

/* --- Ending -------------------------------------------------------------------------------- */

bool lease_end(struct leases *leases, struct lease *lease)
{
    struct resource *resource = lease->resource;

    tell_end(leases, lease);
    free_lease(leases, lease);
    if (!resource_is_free(resource))
        return false;
    leases->host.release(leases->host.context, resource);
    return true;
}

size_t leases_sweep(struct leases *leases, const struct resource_ops *ops, uint32_t generation)
{
    struct holder configuration = {
        .kind = HOLDER_CONFIGURATION,
        .lease = {.uid = LEASE_UID_UNKNOWN},
    };
    struct lease_cursor cursor;
    struct lease *lease;
    size_t count = 0;

    lease_cursor_open_holder(&cursor, leases, &configuration);
    while ((lease = (struct lease *)lease_cursor_next(&cursor)))
        if (lease->resource->ops == ops && lease->generation != generation) {
            lease_end(leases, lease);
            count++;
        }
    lease_cursor_close(&cursor);
    return count;
}

/* --- Of one resource ----------------------------------------------------------------------- */

void resource_init(struct resource *resource, const struct resource_ops *ops)
{
    LIST_INIT(&resource->leases);
    resource->ops = ops;
}

static bool is_of(const struct lease *lease, const struct held_leases *session)
{
    return lease->kind == HOLDER_SESSION && lease->holder == session;
}

struct lease *resource_lease(const struct resource *resource, const struct holder *holder)
{
    struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        if (lease->kind == holder->kind && lease->info.uid == holder->lease.uid &&
            (holder->kind != HOLDER_SESSION || is_of(lease, holder->session)))
            return lease;
    return NULL;
}

const struct lease *resource_first_lease(const struct resource *resource)
{
    return LIST_FIRST(&resource->leases);
}

bool resource_is_free(const struct resource *resource)
{
    return LIST_EMPTY(&resource->leases);
}

unsigned resource_lease_count(const struct resource *resource)
{
    const struct lease *lease;
    unsigned count = 0;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        count++;
    return count;
}

bool resource_has_others(const struct resource *resource, const struct holder *holder)
{
    const struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        if (lease->kind != HOLDER_FOUND &&
            (lease->info.uid != holder->lease.uid ||
             (lease->kind == HOLDER_CONFIGURATION) != (holder->kind == HOLDER_CONFIGURATION)))
            return true;
    return false;
}

bool resource_has_user(const struct resource *resource, uid_t uid)
{
    const struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        if ((lease->kind == HOLDER_USER || lease->kind == HOLDER_SESSION) && lease->info.uid == uid)
            return true;
    return false;
}

static bool is_own(const struct lease *lease, const struct holder *holder)
{
    if (lease->kind == HOLDER_USER)
        return lease->info.uid == holder->lease.uid;
    return lease->kind == HOLDER_FOUND || is_of(lease, holder->session);
}

static unsigned count_own(const struct resource *resource, const struct holder *holder)
{
    const struct lease *lease;
    unsigned count = 0;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        count += is_own(lease, holder);
    return count;
}

static unsigned count_of_user(const struct resource *resource, uid_t uid)
{
    const struct lease *lease;
    unsigned count = 0;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        count += lease->info.uid == uid;
    return count;
}

static bool refuse_user(unsigned count, struct error *error)
{
    return error_set(error, ERROR_LIMIT, NULL,
                     "%u of your connections hold it already; one user has at most %d leases on "
                     "it, and fewer where others have many. End one of them, or hold it without "
                     "'while_connected'.",
                     count, RESOURCE_LEASES_PER_USER);
}

bool resource_has_room(const struct resource *resource, const struct holder *holder,
                       struct error *error)
{
    unsigned all = resource_lease_count(resource), own;

    if (resource_lease(resource, holder))
        return true;
    if (all >= RESOURCE_LEASES_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "%d users or connections hold it already, which is the limit; 'netbroker "
                         "leases' lists them.",
                         RESOURCE_LEASES_MAX);
    own = holder->administrator ? 0 : count_of_user(resource, holder->lease.uid);
    return own == 0 || (own < RESOURCE_LEASES_PER_USER && all < RESOURCE_LEASES_OF_SEVERAL) ||
           refuse_user(own, error);
}

/* True: they were the last ones, and the resource is released. */
static bool end_own(struct leases *leases, struct resource *resource, const struct holder *holder)
{
    struct lease *lease, *next;

    for (lease = LIST_FIRST(&resource->leases); lease; lease = next) {
        next = LIST_NEXT(lease, in_resource);
        if (is_own(lease, holder) && lease_end(leases, lease))
            return true;
    }
    return false;
}

bool resource_may_give_up(const struct resource *resource, const struct holder *holder,
                          struct error *error)
{
    return holder->administrator || count_own(resource, holder) > 0 ||
           error_set(error, ERROR_NOT_ALLOWED, NULL,
                     count_of_user(resource, holder->lease.uid) > 0
                         ? "Another connection of yours holds it: it ends with the program that "
                           "has this, or an administrator can end it."
                         : "Only others hold it; 'netbroker leases' shows who. They or an "
                           "administrator can delete it.");
}

bool resource_give_up(struct leases *leases, struct resource *resource, const struct holder *holder,
                      bool dry_run)
{
    unsigned own = count_own(resource, holder);

    if (dry_run)
        return own > 0 && own < resource_lease_count(resource);
    if (own > 0)
        return !end_own(leases, resource, holder);
    resource_end_leases(leases, resource); /* an administrator's word */
    leases->host.release(leases->host.context, resource);
    return false;
}

void resource_end_leases(struct leases *leases, struct resource *resource)
{
    struct lease *lease, *next;

    for (lease = LIST_FIRST(&resource->leases); lease; lease = next) {
        next = LIST_NEXT(lease, in_resource);
        tell_end(leases, lease);
        free_lease(leases, lease);
    }
}

void resource_forget(struct leases *leases, struct resource *resource)
{
    struct lease *lease, *next;

    for (lease = LIST_FIRST(&resource->leases); lease; lease = next) {
        next = LIST_NEXT(lease, in_resource);
        free_lease(leases, lease);
    }
}

void resource_move_leases(struct resource *to, struct resource *from)
{
    struct lease *lease;

    while ((lease = LIST_FIRST(&from->leases))) {
        LIST_REMOVE(lease, in_resource);
        append_lease(to, lease);
    }
}

void resource_changed(struct leases *leases, const struct resource *resource)
{
    leases->host.changed(leases->host.context, resource);
}

/* --- Walks --------------------------------------------------------------------------------- */

/* Not inlined: gcc 14 would not see that lease_cursor_close takes it out of the list again, and
 * warn of a pointer to a cursor that is gone. */
__attribute__((noinline)) static void
open_cursor(struct lease_cursor *cursor, struct leases *leases, struct lease *first, bool of_holder)
{
    *cursor = (struct lease_cursor){
        .leases = leases,
        .last_serial = leases->serial,
        .of_holder = of_holder,
    };
    stand_at(cursor, first);
    LIST_INSERT_HEAD(&leases->cursors, cursor, in_open);
}

void lease_cursor_open(struct lease_cursor *cursor, struct leases *leases)
{
    open_cursor(cursor, leases, TAILQ_FIRST(&leases->order), false);
}

void lease_cursor_open_holder(struct lease_cursor *cursor, struct leases *leases,
                              const struct holder *holder)
{
    struct held_leases *held = holder->session;

    if (holder->kind != HOLDER_SESSION) {
        struct holding *holding =
            find_holding(leases, holding_key(holder->kind, holder->lease.uid));

        held = holding ? &holding->leases : NULL;
    }
    open_cursor(cursor, leases, held ? TAILQ_FIRST(held) : NULL, true);
}

const struct lease *lease_cursor_next(struct lease_cursor *cursor)
{
    struct lease *lease = cursor->next;

    if (!lease || lease->serial >= cursor->last_serial)
        return NULL;
    stand_at(cursor, next_of(cursor, lease));
    return lease;
}

void lease_cursor_close(struct lease_cursor *cursor)
{
    stand_at(cursor, NULL);
    LIST_REMOVE(cursor, in_open);
}
