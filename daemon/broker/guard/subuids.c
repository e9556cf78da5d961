#include "subuids.h"

#include "log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_MAX = 3 }; /* lines that the log names */

void subuids_init(struct subuids *subuids, const char *path, struct user_names *names)
{
    *subuids = (struct subuids){.names = names, .file.path = path};
}

static void forget_ranges(struct subuids *subuids)
{
    free(subuids->ranges);
    subuids->ranges = NULL;
    subuids->count = subuids->ignored = 0;
}

void subuids_clear(struct subuids *subuids)
{
    forget_ranges(subuids);
    system_file_clear(&subuids->file);
}

/* --- Reading ------------------------------------------------------------------------------- */

/* The number that a range has as a user, where it is nobody else's. */
static uid_t find_own(const struct user_names *names, const struct subuid_range *range)
{
    uid_t own = range->first;

    while (own < range->last && user_exists_read(names, own))
        own++;
    return own;
}

/* A name, or a number as subuid(5) has it. */
static bool find_owner(const struct user_names *names, const char *name, uid_t *ret)
{
    unsigned long number;

    if (user_find_read(names, name, ret))
        return true;
    if (!system_file_number(name, UID_LAST, &number))
        return false;
    *ret = (uid_t)number;
    return true;
}

/* NAME:FIRST:COUNT */
static bool read_range(const struct user_names *names, char *line, struct subuid_range *ret)
{
    const char *name = strsep(&line, ":"), *first = strsep(&line, ":");
    unsigned long begin, count;

    if (!name[0] || !first || !line || !system_file_number(first, UINT32_MAX, &begin) ||
        !system_file_number(line, UINT32_MAX, &count) || count == 0 || begin == 0 ||
        count - 1 > UINT32_MAX - 1 - begin)
        return false;
    *ret = (struct subuid_range){.first = (uid_t)begin, .last = (uid_t)(begin + count - 1)};
    ret->has_owner = find_owner(names, name, &ret->owner);
    ret->own = find_own(names, ret);
    return ret->own <= UID_LAST;
}

static void ignore(struct subuids *subuids, size_t line)
{
    if (++subuids->ignored <= TOLD_MAX)
        log_line(LOG_WARNING, "%s:%zu: the line is ignored; right would be NAME:FIRST:COUNT%s.",
                 subuids->file.path, line,
                 subuids->count == SUBUID_RANGES_MAX ? ", and at most 16384 lines" : "");
}

static void index_text(struct subuids *subuids)
{
    char *copy = strdup(subuids->file.text), *rest = copy, *line;
    size_t number = 0;

    subuids->ranges = calloc(SUBUID_RANGES_MAX, sizeof *subuids->ranges);
    while (subuids->ranges && (line = strsep(&rest, "\n"))) {
        number++;
        if (!line[0])
            continue;
        if (subuids->count < SUBUID_RANGES_MAX &&
            read_range(subuids->names, line, &subuids->ranges[subuids->count]))
            subuids->count++;
        else
            ignore(subuids, number);
    }
    if (subuids->ignored > TOLD_MAX)
        log_line(LOG_WARNING, "%s: %zu lines in all are ignored.", subuids->file.path,
                 subuids->ignored);
    free(copy);
}

void subuids_update(struct subuids *subuids)
{
    bool changed;

    if (!subuids->file.path)
        return;
    changed = system_file_update(&subuids->file);
    if (!changed && subuids->names_version == subuids->names->version)
        return;
    subuids->names_version = subuids->names->version;
    forget_ranges(subuids);
    if (subuids->file.text)
        index_text(subuids);
}

/* --- Asking -------------------------------------------------------------------------------- */

const struct subuid_range *subuids_find_read(const struct subuids *subuids, uid_t uid)
{
    for (size_t i = 0; i < subuids->count; i++)
        if (uid >= subuids->ranges[i].first && uid <= subuids->ranges[i].last)
            return &subuids->ranges[i];
    return NULL;
}
