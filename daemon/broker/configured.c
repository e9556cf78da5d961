#include "configured.h"

#include "admin_files.h"
#include "lines.h"
#include "log.h"
#include "set_work.h"
#include "staging.h"
#include "wanted_joins.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 64 << 20 }; /* some 500,000 routes: more than the service keeps */

/* Which files, and what is made of them. */
struct files_wanted {
    const char *path;
    bool required;
    uid_t administrator;
    enum configured_use use;
};

struct configured {
    uv_loop_t *loop;
    struct slices *slices;
    struct mroute *mroute;
    struct joins *joins;
    struct files_wanted files;
    enum { IDLE, READING, APPLYING } state;
    bool stopped;
    uv_work_t reading;
    struct staging *wanted; /* while it is applied; owned */
    struct wanted_joins wanted_joins;
    struct mistakes mistakes; /* of the files that were read last */
    struct set_work work;
    configured_done *done;
    configured_done *again; /* the done of a load that follows this one; NULL: none does */
    void *context;
};

/* --- Reading ------------------------------------------------------------------------------- */

struct reading {
    const char *path; /* of the file that is being read */
    struct staging *wanted;
    struct wanted_joins *joins;
    struct mistakes *mistakes;
    enum configured_use use;
    size_t count;
};

static void note_mistake(void *context, unsigned number, const struct error *error)
{
    struct reading *reading = context;

    mistakes_add(reading->mistakes, "%s:%u: %s", reading->path, number, error->message);
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
    mistakes_add(reading->mistakes, "no memory for the routes of %s.", reading->path);
    return false;
}

static bool pass_statement(void *context, unsigned number, const struct line *line)
{
    (void)context;
    (void)number;
    (void)line;
    return true;
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

/* With the whole file in memory. With CONFIGURED_ALL_OR_NONE its mistakes are enough. */
static void read_lines(struct reading *reading, const char *bytes, size_t size)
{
    struct lines_reader reader = {take_statement, note_mistake, reading};

    if (reading->use == CONFIGURED_WHAT_IS_RIGHT && !lines_thresholds_are_right(bytes, size)) {
        log_line(LOG_ERR,
                 "nothing of %s is applied, because one of its TTL thresholds is not known.",
                 reading->path);
        reader.statement = pass_statement;
    }
    lines_read(bytes, size, &reader);
}

static bool read_file(void *context, FILE *file, const char *path)
{
    struct reading *reading = context;
    size_t size = 0, before = reading->mistakes->count;
    char *bytes = read_bytes(file, &size);

    reading->path = path;
    if (bytes)
        read_lines(reading, bytes, size);
    else
        mistakes_add(reading->mistakes, "cannot read %s, or it has more than %d MiB.", path,
                     FILE_SIZE_MAX >> 20);
    free(bytes);
    return reading->mistakes->count == before;
}

/* The routes of all files, and their joins, as far as they are used; NULL: nothing is. */
static struct staging *read_all(const struct files_wanted *files, struct wanted_joins *joins,
                                struct mistakes *mistakes, size_t *ret_count)
{
    struct reading reading = {
        .wanted = staging_new(FAMILY_NONE, 0),
        .joins = joins,
        .mistakes = mistakes,
        .use = files->use,
    };
    struct admin_files admin_files = {
        .path = files->path,
        .what = "multicast",
        .required = files->required,
        .administrator = files->administrator,
        .mistakes = mistakes,
        .read = read_file,
        .context = &reading,
    };

    if (!reading.wanted) {
        mistakes_add(mistakes, "no memory for the routes of %s.", files->path);
        return NULL;
    }
    if (admin_files_read(&admin_files) || files->use == CONFIGURED_WHAT_IS_RIGHT) {
        *ret_count = reading.count;
        return reading.wanted;
    }
    staging_free(reading.wanted);
    wanted_joins_clear(joins);
    return NULL;
}

bool configured_check(const char *path, bool required, uid_t administrator,
                      struct mistakes *mistakes, size_t *ret_count)
{
    struct files_wanted files = {path, required, administrator, CONFIGURED_ALL_OR_NONE};
    struct wanted_joins joins = {.list = STAILQ_HEAD_INITIALIZER(joins.list)};
    struct staging *wanted = read_all(&files, &joins, mistakes, ret_count);

    staging_free(wanted);
    wanted_joins_clear(&joins);
    return wanted != NULL;
}

/* --- Applying ------------------------------------------------------------------------------ */

static void end_load(struct configured *configured)
{
    configured_done *done = configured->done;

    staging_free(configured->wanted);
    wanted_joins_clear(&configured->wanted_joins);
    configured->wanted = NULL;
    configured->state = IDLE;
    if (configured->stopped)
        return;
    done(configured->context, &configured->mistakes);
    if (configured->again)
        configured_load(configured, CONFIGURED_ALL_OR_NONE, configured->again, configured->context);
}

/* Without this one the others are wanted all the same. */
static bool note_refusal(struct set_work *work, const struct args_add_mfc *args,
                         const struct error *error)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    (void)work;
    log_line(LOG_ERR, "the configured route (%s, %s) is not in force: %s",
             args->source.address.family ? prefix_format(&args->source, source) : "*",
             prefix_format(&args->group, group), error->message);
    return true;
}

static struct lease make_lease(void *context)
{
    struct configured *configured = context;

    return mroute_lease(configured->mroute, LEASE_UID_UNKNOWN);
}

/* What a line with a mistake stands for may be among what is in force from before. */
static bool keeps_others(const struct configured *configured)
{
    return configured->mistakes.count > 0;
}

static void end_work(struct set_work *work)
{
    struct configured *configured =
        (struct configured *)((char *)work - offsetof(struct configured, work));
    const struct set_counts *counts = &work->counts;

    if (work->failed) {
        log_line(LOG_ERR, "the routes of %s are not applied: %s", configured->files.path,
                 work->error.message);
    } else {
        if (configured->wanted->count > 0 || counts->deleted > 0)
            log_line(LOG_NOTICE, "%s: %zu routes added, %zu changed, %zu deleted, %zu unchanged.",
                     configured->files.path, counts->changes[CHANGE_ADDED],
                     counts->changes[CHANGE_REPLACED], counts->deleted,
                     counts->changes[CHANGE_NONE]);
        wanted_joins_apply(&configured->wanted_joins, configured->joins, &work->owner,
                           configured->files.path, !keeps_others(configured), make_lease,
                           configured);
    }
    end_load(configured);
}

/* --- Loading ------------------------------------------------------------------------------- */

/* In a thread of its own: large files take a second.
 * #syscalls broker: clone open openat read close fstat newfstatat fstatat64 statx lseek */
static void read_files(uv_work_t *reading)
{
    struct configured *configured = reading->data;
    size_t count;

    configured->mistakes = (struct mistakes){0};
    configured->wanted =
        read_all(&configured->files, &configured->wanted_joins, &configured->mistakes, &count);
}

static void after_reading(uv_work_t *reading, int status)
{
    static const struct set_class difference = {.goes_on = note_refusal, .done = end_work};
    static const struct set_class additions = {
        .goes_on = note_refusal,
        .adds_only = true,
        .done = end_work,
    };
    struct configured *configured = reading->data;
    struct owner owner = {
        .kind = HOLD_CONFIGURATION,
        .lease = {.uid = LEASE_UID_UNKNOWN},
        .administrator = true,
    };

    (void)status;
    if (configured->wanted && !configured->stopped) {
        configured->state = APPLYING;
        set_work_begin(&configured->work, configured->slices,
                       keeps_others(configured) ? &additions : &difference, configured->mroute,
                       configured->wanted, &owner, false);
        return;
    }
    if (!configured->stopped)
        log_line(LOG_ERR, "the configured routes and joins stay as they were.");
    end_load(configured);
}

void configured_load(struct configured *configured, enum configured_use use, configured_done *done,
                     void *context)
{
    configured->again = NULL;
    configured->context = context;
    if (configured->state != IDLE) { /* what it reads may be older than this request */
        configured->again = done;
        return;
    }
    configured->done = done;
    configured->files.use = use;
    configured->state = READING;
    uv_queue_work(configured->loop, &configured->reading, read_files, after_reading);
}

struct configured *configured_new(const struct configured_host *host, const char *path,
                                  bool required, uid_t administrator)
{
    struct configured *configured = calloc(1, sizeof *configured);

    if (!configured)
        return NULL;
    configured->loop = host->loop;
    configured->slices = host->slices;
    configured->mroute = host->mroute;
    configured->joins = host->joins;
    STAILQ_INIT(&configured->wanted_joins.list);
    configured->files = (struct files_wanted){
        .path = path,
        .required = required,
        .administrator = administrator,
    };
    configured->reading.data = configured;
    return configured;
}

void configured_stop(struct configured *configured)
{
    configured->stopped = true;
    if (configured->state != APPLYING || configured->work.applying)
        return;
    set_work_cancel(&configured->work);
    end_load(configured);
}

void configured_free(struct configured *configured)
{
    free(configured);
}
