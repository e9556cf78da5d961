#include "user_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger file would keep the loop from others. */
enum { FILE_SIZE_MAX = 1 << 20 };

void user_names_init(struct user_names *names, const char *path)
{
    *names = (struct user_names){.path = path};
}

void user_names_clear(struct user_names *names)
{
    free(names->text);
    free(names->entries);
    names->text = NULL;
    names->entries = NULL;
    names->count = 0;
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
    const char *name = strsep(&line, ":");
    char *number, *end;
    unsigned long uid;

    (void)strsep(&line, ":"); /* the password */
    number = strsep(&line, ":");
    if (!number || !line || number[0] < '0' || number[0] > '9' || !is_showable(name))
        return false;
    errno = 0;
    uid = strtoul(number, &end, 10);
    *ret = (struct user_entry){(uid_t)uid, name};
    return errno == 0 && *end == '\0' && uid <= UINT_MAX;
}

/* Of one number the first name counts, as it does for getpwuid(3). */
static int compare(const void *a, const void *b)
{
    const struct user_entry *one = a, *other = b;

    if (one->uid != other->uid)
        return one->uid < other->uid ? -1 : 1;
    return one->name < other->name ? -1 : one->name > other->name;
}

static void index_text(struct user_names *names)
{
    char *rest = names->text, *line;
    size_t lines = 1;

    for (const char *at = names->text; (at = strchr(at, '\n')); at++)
        lines++;
    names->entries = calloc(lines, sizeof *names->entries);
    if (!names->entries)
        return;
    while ((line = strsep(&rest, "\n")))
        names->count += read_entry(line, &names->entries[names->count]);
    qsort(names->entries, names->count, sizeof *names->entries, compare);
}

/* #syscalls broker: open openat fstat newfstatat fstatat64 statx read close */
static void read_file(struct user_names *names, size_t size)
{
    int fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = -1;

    names->text = malloc(size + 1);
    if (fd >= 0 && names->text)
        length = read(fd, names->text, size);
    if (fd >= 0)
        close(fd);
    if (length < 0)
        return;
    names->text[length] = '\0';
    index_text(names);
}

/* Reads the file where it is another than the one that was read. */
static void update(struct user_names *names)
{
    struct stat info;

    if (stat(names->path, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_SIZE_MAX) {
        user_names_clear(names);
        return;
    }
    if (names->text && info.st_ino == names->inode && info.st_size == names->size &&
        info.st_ctime == names->changed)
        return;
    user_names_clear(names);
    names->inode = info.st_ino;
    names->size = info.st_size;
    names->changed = info.st_ctime;
    read_file(names, (size_t)info.st_size);
}

/* --- Asking -------------------------------------------------------------------------------- */

const char *user_name(struct user_names *names, uid_t uid)
{
    size_t low = 0, high;

    if (!names || !names->path)
        return NULL;
    update(names);
    high = names->count;
    while (low < high) { /* the first of this number */
        size_t middle = low + (high - low) / 2;

        if (names->entries[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->entries[low].uid == uid ? names->entries[low].name : NULL;
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
