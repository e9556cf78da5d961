#include "user_names.h"

#include "broker/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void user_names_init(struct user_names *names, const char *path)
{
    *names = (struct user_names){.file.path = path};
}

static void forget_entries(struct user_names *names)
{
    free(names->entries);
    free(names->by_name);
    names->entries = NULL;
    names->by_name = NULL;
    names->count = 0;
}

void user_names_clear(struct user_names *names)
{
    forget_entries(names);
    system_file_clear(&names->file);
}

/* --- Reading ------------------------------------------------------------------------------- */

/* What is shown to people and stands in a line of the log. */
static bool is_showable(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || strchr("\"\\'=()", name[i]))
            return false;
    return length > 0 && length <= USER_NAME_MAX;
}

/* NAME:PASSWORD:UID:... */
static bool read_entry(char *line, struct user_entry *ret)
{
    const char *name = strsep(&line, ":"), *number;
    unsigned long uid;

    (void)strsep(&line, ":"); /* the password */
    number = strsep(&line, ":");
    if (!number || !line || !name[0] || !system_file_number(number, UID_LAST, &uid))
        return false;
    *ret = (struct user_entry){(uid_t)uid, is_showable(name) ? name : ""};
    return true;
}

/* Of one number the first name counts that can be shown. */
static int compare(const void *a, const void *b)
{
    const struct user_entry *one = a, *other = b;

    if (one->uid != other->uid)
        return one->uid < other->uid ? -1 : 1;
    if (!one->name[0] != !other->name[0])
        return one->name[0] ? -1 : 1;
    return one->name < other->name ? -1 : one->name > other->name;
}

/* Of one name the first line counts, as for getpwnam(3). */
static int compare_names(const void *a, const void *b)
{
    const struct user_entry *const *one = a, *const *other = b;
    int order = strcmp((*one)->name, (*other)->name);

    return order ? order : (*one)->name < (*other)->name ? -1 : (*one)->name > (*other)->name;
}

static void index_names(struct user_names *names)
{
    names->by_name = calloc(names->count ? names->count : 1, sizeof *names->by_name);
    if (!names->by_name)
        return;
    for (size_t i = 0; i < names->count; i++)
        names->by_name[i] = &names->entries[i];
    qsort(names->by_name, names->count, sizeof *names->by_name, compare_names);
}

static void index_text(struct user_names *names)
{
    char *rest = names->file.text, *line;
    size_t lines = 1;

    for (const char *at = rest; (at = strchr(at, '\n')); at++)
        lines++;
    names->entries = calloc(lines, sizeof *names->entries);
    if (!names->entries)
        return;
    while ((line = strsep(&rest, "\n")))
        names->count += read_entry(line, &names->entries[names->count]);
    qsort(names->entries, names->count, sizeof *names->entries, compare);
    index_names(names);
}

void user_names_update(struct user_names *names)
{
    if (!system_file_update(&names->file))
        return;
    forget_entries(names);
    names->version++;
    if (names->file.text)
        index_text(names);
}

/* --- Asking -------------------------------------------------------------------------------- */

/* The first of this number, or NULL. */
static const struct user_entry *find(const struct user_names *names, uid_t uid)
{
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (names->entries[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->entries[low].uid == uid ? &names->entries[low] : NULL;
}

bool user_exists_read(const struct user_names *names, uid_t uid)
{
    return find(names, uid) != NULL;
}

bool user_exists(struct user_names *names, uid_t uid)
{
    user_names_update(names);
    return user_exists_read(names, uid);
}

bool user_find_read(const struct user_names *names, const char *name, uid_t *ret)
{
    size_t low = 0, high = names->by_name ? names->count : 0;

    while (low < high) { /* the first of this name */
        size_t middle = low + (high - low) / 2;

        if (strcmp(names->by_name[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!names->by_name || low == names->count || strcmp(names->by_name[low]->name, name) != 0)
        return false;
    *ret = names->by_name[low]->uid;
    return true;
}

static const char *assigned_name(uid_t uid)
{
    return uid == POOL_UID_NOBODY               ? "configuration"
           : uid == UID_ROOT_ELSEWHERE          ? "root-elsewhere"
           : uid == UID_ADMINISTRATOR_ELSEWHERE ? "administrator-elsewhere"
           : uid == UID_UNKNOWN                 ? "unknown-users"
                                                : NULL;
}

const char *user_name(struct user_names *names, uid_t uid)
{
    const struct user_entry *entry;

    if (uid > UID_LAST)
        return assigned_name(uid);
    if (!names)
        return NULL;
    user_names_update(names);
    entry = find(names, uid);
    return entry && entry->name[0] ? entry->name : NULL;
}

const char *user_format(struct user_names *names, uid_t uid, char text[USER_TEXT_MAX])
{
    const char *name = user_name(names, uid);

    if (name)
        snprintf(text, USER_TEXT_MAX, "%s (%u)", name, (unsigned)uid);
    else
        snprintf(text, USER_TEXT_MAX, "%u", (unsigned)uid);
    return text;
}
