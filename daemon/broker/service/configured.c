#include "configured.h"

#include "broker/guard/admin_files.h"
#include "log.h"
#include "statements/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 64 << 20 }; /* some 500,000 statements: more than the service keeps */

/* Which files, and what is made of them. */
struct files_wanted {
    const char *path;
    bool required;
    uid_t administrator;
    enum configured_use use;
};

/* What all files want, by the place of the kind in the list. */
struct wanted {
    struct configured_set *sets[KINDS_MAX]; /* owned */
    size_t count;                           /* statements */
};

struct configured {
    uv_loop_t *loop;
    const struct kind_selves *kinds;
    struct files_wanted files;
    enum { IDLE, READING, APPLYING } state;
    bool stopped;
    bool is_wanted; /* by the files that were read last: all of it, or what is right */
    uv_work_t reading;
    struct wanted wanted;
    struct mistakes mistakes; /* of the files that were read last */
    uint32_t generation;      /* of the last load */
    size_t applying;          /* the kind whose turn it is */
    configured_done *done;
    configured_done *again; /* the done of a load that follows this one; NULL: none does */
    void *context;
};

/* --- What is wanted ------------------------------------------------------------------------ */

static void wanted_clear(struct wanted *wanted)
{
    for (size_t i = 0; kinds[i]; i++)
        if (wanted->sets[i])
            kinds[i]->configured->free(wanted->sets[i]);
    *wanted = (struct wanted){0};
}

/* False: no memory. */
static bool wanted_begin(struct wanted *wanted)
{
    *wanted = (struct wanted){0};
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i]->configured && !(wanted->sets[i] = kinds[i]->configured->begin())) {
            wanted_clear(wanted);
            return false;
        }
    return true;
}

static bool wanted_add(struct wanted *wanted, const struct request *request, struct error *error)
{
    const struct resource_ops *kind = kind_of_verb(action_row(request->action)->policy);

    wanted->count++;
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i] == kind && wanted->sets[i])
            return kind->configured->add(wanted->sets[i], request, error);
    return error_set(error, ERROR_UNSUPPORTED, NULL, "Files cannot ask for this.");
}

/* --- Reading ------------------------------------------------------------------------------- */

struct reading {
    const char *path; /* of the file that is being read */
    struct wanted *wanted;
    struct mistakes *mistakes;
    enum configured_use use;
};

static void note_mistake(void *context, unsigned number, const struct error *error)
{
    struct reading *reading = context;

    mistakes_add(reading->mistakes, "%s:%u: %s", reading->path, number, error->message);
}

/* What a statement can be judged by, without the interfaces that there are: they are waited for. */
static bool take_statement(void *context, unsigned number, const struct line *line)
{
    struct reading *reading = context;
    struct error error;

    if (wanted_add(reading->wanted, &line->request, &error))
        return true;
    note_mistake(context, number, &error);
    return error.code != ERROR_NO_MEMORY;
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

/* What all files want, as far as it is used. False: nothing is. */
static bool read_all(const struct files_wanted *files, struct wanted *ret,
                     struct mistakes *mistakes)
{
    struct reading reading = {.wanted = ret, .mistakes = mistakes, .use = files->use};
    struct admin_files admin_files = {
        .path = files->path,
        .what = "multicast",
        .required = files->required,
        .administrator = files->administrator,
        .mistakes = mistakes,
        .read = read_file,
        .context = &reading,
    };

    if (!wanted_begin(ret)) {
        mistakes_add(mistakes, "no memory for what %s wants.", files->path);
        return false;
    }
    if (admin_files_read(&admin_files) || files->use == CONFIGURED_WHAT_IS_RIGHT)
        return true;
    wanted_clear(ret);
    return false;
}

bool configured_check(const char *path, bool required, uid_t administrator,
                      struct mistakes *mistakes, size_t *ret_count)
{
    struct files_wanted files = {path, required, administrator, CONFIGURED_ALL_OR_NONE};
    struct wanted wanted;
    bool right = read_all(&files, &wanted, mistakes);

    *ret_count = wanted.count;
    wanted_clear(&wanted);
    return right;
}

/* --- Applying ------------------------------------------------------------------------------ */

static void end_load(struct configured *configured)
{
    configured_done *done = configured->done;

    wanted_clear(&configured->wanted);
    configured->state = IDLE;
    if (configured->stopped)
        return;
    done(configured->context, &configured->mistakes);
    if (configured->again)
        configured_load(configured, CONFIGURED_ALL_OR_NONE, configured->again, configured->context);
}

static void apply_next(struct configured *configured);

static void after_kind(void *context, bool is_applied)
{
    struct configured *configured = context;

    configured->applying++;
    if (is_applied)
        apply_next(configured);
    else
        end_load(configured);
}

/* What a line with a mistake stands for may be among what is in force from before. */
static void apply_next(struct configured *configured)
{
    struct configured_plan plan = {
        .path = configured->files.path,
        .generation = configured->generation,
        .keeps_others = configured->mistakes.count > 0,
        .done = after_kind,
        .context = configured,
    };
    const struct resource_ops *kind = kinds[configured->applying];

    if (!kind)
        end_load(configured);
    else if (!kind->configured)
        after_kind(configured, true);
    else
        kind->configured->apply(kind_self(configured->kinds, kind),
                                configured->wanted.sets[configured->applying], &plan);
}

/* --- Loading ------------------------------------------------------------------------------- */

/* In a thread of its own: large files take a second.
 * #syscalls broker: clone open openat read close fstat newfstatat fstatat64 statx lseek */
static void read_files(uv_work_t *reading)
{
    struct configured *configured = reading->data;

    configured->mistakes = (struct mistakes){0};
    configured->is_wanted =
        read_all(&configured->files, &configured->wanted, &configured->mistakes);
}

static void after_reading(uv_work_t *reading, int status)
{
    struct configured *configured = reading->data;

    (void)status;
    if (configured->is_wanted && !configured->stopped) {
        configured->state = APPLYING;
        configured->generation++;
        configured->applying = 0;
        apply_next(configured);
        return;
    }
    if (!configured->stopped)
        log_line(LOG_ERR, "what is configured in %s stays as it was.", configured->files.path);
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

struct configured *configured_new(uv_loop_t *loop, const struct kind_selves *selves,
                                  const char *path, bool required, uid_t administrator)
{
    struct configured *configured = calloc(1, sizeof *configured);

    if (!configured)
        return NULL;
    configured->loop = loop;
    configured->kinds = selves;
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
    const struct resource_ops *kind;

    configured->stopped = true;
    if (configured->state != APPLYING)
        return;
    kind = kinds[configured->applying];
    if (kind->configured->cancel &&
        kind->configured->cancel(configured->wanted.sets[configured->applying]))
        end_load(configured);
}

void configured_free(struct configured *configured)
{
    free(configured);
}
