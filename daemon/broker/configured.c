#include "configured.h"

#include "admin_files.h"
#include "lines.h"
#include "log.h"
#include "staging.h"
#include "wanted_joins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 64 << 20 }; /* some 500,000 routes: more than the service keeps */

struct configured {
    struct mroute *mroute;
    struct joins *joins;
    const char *path;
    uid_t administrator;
    struct staging *wanted; /* while it is applied; owned */
    struct wanted_joins wanted_joins;
    struct mroute_waiter waiter;
    void (*done)(void *context);
    void *context;
};

/* --- Reading ------------------------------------------------------------------------------- */

struct reading {
    const char *path; /* of the file that is being read */
    struct staging *wanted;
    struct wanted_joins *joins;
    size_t count;
    bool whole;
};

static void note_mistake(void *context, unsigned number, const struct error *error)
{
    struct reading *reading = context;

    log_line(LOG_ERR, "%s:%u: %s", reading->path, number, error->message);
    reading->whole = false;
}

/* What one route can be judged by, without the interfaces that there are: they are waited for. */
static bool take_statement(void *context, unsigned number, const struct line *line)
{
    static const struct lease none = {0};
    struct reading *reading = context;
    const struct args_add_mfc *args = &line->request.args.add_mfc;
    struct error error;

    reading->count++;
    if (line->request.action == ACTION_ADD_JOIN) {
        if (!wanted_joins_add(reading->joins, &line->request.args.add_join, &error))
            note_mistake(context, number, &error);
        return true;
    }
    if (!mroute_args_are_sound(args, &error)) {
        note_mistake(context, number, &error);
        return true;
    }
    if (staging_add(reading->wanted, args, &none))
        return true;
    log_line(LOG_ERR, "no memory for the routes of %s.", reading->path);
    reading->whole = false;
    return false;
}

/* Reads all of it. NULL: it is too large, or cannot be read. */
static char *read_bytes(FILE *file, size_t *ret_size)
{
    struct stat info;
    char *bytes = NULL;

    if (fstat(fileno(file), &info) == 0 && info.st_size <= FILE_SIZE_MAX)
        bytes = malloc((size_t)info.st_size + 1);
    if (bytes)
        *ret_size = fread(bytes, 1, (size_t)info.st_size, file);
    return bytes;
}

static bool read_file(void *context, FILE *file, const char *path)
{
    struct reading *reading = context;
    struct lines_reader reader = {take_statement, note_mistake, reading};
    size_t size = 0;
    char *bytes = read_bytes(file, &size);

    reading->path = path;
    if (bytes)
        lines_read(bytes, size, &reader);
    else
        log_line(LOG_ERR, "%s cannot be read, or has more than %d MiB.", path, FILE_SIZE_MAX >> 20);
    free(bytes);
    return bytes != NULL;
}

/* The routes of all files, and their joins, or NULL and none: there is a mistake. */
static struct staging *read_all(const char *path, uid_t administrator, struct wanted_joins *joins,
                                size_t *ret_count)
{
    struct reading reading = {.wanted = staging_new(FAMILY_NONE, 0), .joins = joins, .whole = true};

    if (!reading.wanted)
        return NULL;
    reading.whole &= admin_files_read(path, "multicast", administrator, read_file, &reading);
    *ret_count = reading.count;
    if (reading.whole)
        return reading.wanted;
    staging_free(reading.wanted);
    wanted_joins_clear(joins);
    return NULL;
}

bool configured_check(const char *path, uid_t administrator, size_t *ret_count)
{
    struct wanted_joins joins = {.list = STAILQ_HEAD_INITIALIZER(joins.list)};
    struct staging *wanted = read_all(path, administrator, &joins, ret_count);

    staging_free(wanted);
    wanted_joins_clear(&joins);
    return wanted != NULL;
}

/* --- Applying ------------------------------------------------------------------------------ */

static void end_load(struct configured *configured)
{
    staging_free(configured->wanted);
    wanted_joins_clear(&configured->wanted_joins);
    configured->wanted = NULL;
    configured->done(configured->context);
}

/* Whether there are VIFs for all. */
static bool check_room(const struct configured *configured)
{
    struct vif_needs *needs = mroute_needs_new(configured->mroute);
    const struct staged *staged;
    struct error error;
    bool fits = needs != NULL;

    error_set(&error, ERROR_NO_MEMORY, NULL, "no memory.");
    STAILQ_FOREACH (staged, &configured->wanted->set, in_set) {
        struct args_add_mfc args;

        staged_unpack(staged, &args);
        fits = fits && mroute_needs_add(needs, &args, &error);
    }
    free(needs);
    if (!fits)
        log_line(LOG_ERR, "the routes of %s are not applied: %s", configured->path, error.message);
    return fits;
}

static void apply_one(struct configured *configured, const struct staged *staged,
                      struct owner *owner, size_t *counts)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];
    struct args_add_mfc args;
    enum route_change change;
    struct error error;

    staged_unpack(staged, &args);
    owner->lease = mroute_lease(configured->mroute, LEASE_UID_UNKNOWN);
    if (mroute_add(configured->mroute, &args, owner, &change, &error))
        counts[change]++;
    else
        log_line(LOG_ERR, "the configured route (%s, %s) is not in force: %s",
                 args.source.address.family ? prefix_format(&args.source, source) : "*",
                 prefix_format(&args.group, group), error.message);
}

static struct lease make_lease(void *context)
{
    struct configured *configured = context;

    return mroute_lease(configured->mroute, LEASE_UID_UNKNOWN);
}

static void apply(struct configured *configured)
{
    struct mroute_filter everything = {0};
    struct owner owner = {
        .kind = HOLD_CONFIGURATION,
        .lease = {.uid = LEASE_UID_UNKNOWN},
        .generation = mroute_next_generation(configured->mroute),
        .administrator = true,
    };
    size_t counts[CHANGE_REPLACED + 1] = {0}, deleted;
    const struct staged *staged;

    STAILQ_FOREACH (staged, &configured->wanted->set, in_set)
        apply_one(configured, staged, &owner, counts);
    deleted = mroute_sweep(configured->mroute, &everything, &owner, false, NULL, NULL);
    if (configured->wanted->count > 0 || deleted > 0)
        log_line(LOG_NOTICE, "%s: %zu routes added, %zu changed, %zu deleted, %zu as they were.",
                 configured->path, counts[CHANGE_ADDED], counts[CHANGE_REPLACED], deleted,
                 counts[CHANGE_NONE]);
    wanted_joins_apply(&configured->wanted_joins, configured->joins, &owner, configured->path,
                       make_lease, configured);
}

/* Opens the tables one after the other, and then applies all. */
static void go_on(struct configured *configured)
{
    const struct staged *staged;

    STAILQ_FOREACH (staged, &configured->wanted->set, in_set) {
        uint8_t family = staged->group.address.family;

        if (!mroute_table_is_open(configured->mroute, family, staged->table) &&
            mroute_table_open(configured->mroute, family, staged->table, &configured->waiter))
            return;
    }
    if (check_room(configured))
        apply(configured);
    end_load(configured);
}

static void resume(struct mroute_waiter *waiter, const struct error *error)
{
    struct configured *configured =
        (struct configured *)((char *)waiter - offsetof(struct configured, waiter));

    if (!error) {
        go_on(configured);
        return;
    }
    log_line(LOG_ERR, "the routes of %s are not applied: %s", configured->path, error->message);
    end_load(configured);
}

void configured_load(struct configured *configured, void (*done)(void *context), void *context)
{
    size_t count;

    mroute_waiter_cancel(configured->mroute, &configured->waiter); /* of an earlier reload */
    staging_free(configured->wanted);
    wanted_joins_clear(&configured->wanted_joins);
    configured->done = done;
    configured->context = context;
    configured->wanted =
        read_all(configured->path, configured->administrator, &configured->wanted_joins, &count);
    if (configured->wanted) {
        go_on(configured);
        return;
    }
    log_line(LOG_ERR, "the configured routes and joins stay as they were.");
    end_load(configured);
}

struct configured *configured_new(struct mroute *mroute, struct joins *joins, const char *path,
                                  uid_t administrator)
{
    struct configured *configured = calloc(1, sizeof *configured);

    if (!configured)
        return NULL;
    configured->mroute = mroute;
    configured->joins = joins;
    STAILQ_INIT(&configured->wanted_joins.list);
    configured->path = path;
    configured->administrator = administrator;
    configured->waiter.resume = resume;
    return configured;
}

void configured_free(struct configured *configured)
{
    if (!configured)
        return;
    mroute_waiter_cancel(configured->mroute, &configured->waiter);
    staging_free(configured->wanted);
    wanted_joins_clear(&configured->wanted_joins);
    free(configured);
}
