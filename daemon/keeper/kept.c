#include "kept.h"

#include "log.h"
#include "notify.h"
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define K(kind) extern const struct keeper_kind kind##_kept;
KEEPER_KINDS(K)
#undef K

static const struct keeper_kind *const kept_kinds[] = {
#define K(kind) &kind##_kept,
    KEEPER_KINDS(K)
#undef K
};

/* What versions that know no journal store with the manager. */
#define OLDER_RECORD "joins-record"

enum { KIND_COUNT = sizeof kept_kinds / sizeof *kept_kinds };

static bool is_of(const struct keeper_kind *kind, const char *name)
{
    return strncmp(name, kind->prefix, strlen(kind->prefix)) == 0;
}

static const struct keeper_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (is_of(kept_kinds[i], name))
            return kept_kinds[i];
    return NULL;
}

static size_t find(const struct kept *kept, const char *name)
{
    size_t i = 0;

    while (i < kept->count && strcmp(kept->entries[i].name, name) != 0)
        i++;
    return i;
}

int kept_find(const struct kept *kept, const char *name)
{
    size_t i = find(kept, name);

    return i < kept->count ? kept->entries[i].fd : -1;
}

/* --- Taking and giving up ------------------------------------------------------------------ */

static size_t count_of(const struct kept *kept, const struct keeper_kind *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < kept->count; i++)
        count += is_of(kind, kept->entries[i].name);
    return count;
}

static bool was_ever(const struct kept *kept, const char *name)
{
    for (size_t i = 0; i < kept->name_ever_count; i++)
        if (strcmp(kept->names_ever[i], name) == 0)
            return true;
    return false;
}

int kept_judge(const struct kept *kept, const char *name)
{
    const struct keeper_kind *kind = find_kind(name);

    if (!kind || strlen(name) > KEPT_NAME_MAX)
        return -EINVAL;
    if (kept->count == KEPT_MAX || count_of(kept, kind) >= kind->most)
        return -ENFILE;
    if (kind->lasts && !was_ever(kept, name) && kept->name_ever_count == KEPT_NAMES_EVER_MAX)
        return -EDQUOT;
    return 0;
}

int kept_take(struct kept *kept, const char *name, int fd)
{
    int result = find(kept, name) < kept->count ? -EEXIST : kept_judge(kept, name);

    if (result < 0)
        return result;
    strcpy(kept->entries[kept->count].name, name);
    kept->entries[kept->count].stored = false;
    kept->entries[kept->count++].fd = fd;
    if (find_kind(name)->lasts && !was_ever(kept, name))
        strcpy(kept->names_ever[kept->name_ever_count++], name);
    return 0;
}

static void forget(const char *name)
{
    char state[KEPT_NAME_MAX + 64];

    snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", name);
    notify_manager(state, -1);
}

void kept_store(struct kept *kept)
{
    char state[KEPT_NAME_MAX + 64];

    for (size_t i = 0; i < kept->count; i++) {
        if (kept->entries[i].stored)
            continue;
        snprintf(state, sizeof state, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", kept->entries[i].name);
        notify_manager(state, kept->entries[i].fd);
        kept->entries[i].stored = true;
    }
}

int kept_add(struct kept *kept, const char *name, int fd)
{
    int result = kept_take(kept, name, fd);

    if (result == 0)
        kept_store(kept);
    return result;
}

static void close_entry(struct kept *kept, size_t i)
{
    close(kept->entries[i].fd);
    kept->entries[i] = kept->entries[--kept->count];
}

void kept_remove(struct kept *kept, const char *name)
{
    size_t i = find(kept, name);

    if (i == kept->count)
        return;
    forget(name);
    close_entry(kept, i);
}

bool kept_inherit(struct kept *kept, const char *name, int fd)
{
    const struct keeper_kind *kind = find_kind(name);

    if (kind && kind->accept(kept, name, fd) && kept_take(kept, name, fd) == 0) {
        kept->entries[kept->count - 1].stored = kept->inherited = true;
        return true;
    }
    kept->outdated |= strcmp(name, OLDER_RECORD) == 0;
    if (kept_find(kept, name) < 0)
        forget(name);
    return false;
}

void kept_inherited(struct kept *kept)
{
    if (!kept->outdated || kept_find(kept, KEPT_JOURNAL) < 0)
        return;
    log_line(LOG_WARNING, "the inherited journal is not used: an older version of the service, "
                          "which does not write it, ran since.");
    kept_remove(kept, KEPT_JOURNAL);
}

/* --- What happens to all kinds ------------------------------------------------------------- */

bool kept_start(struct kept *kept, const struct config *config)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kept_kinds[i]->start && !kept_kinds[i]->start(kept, config))
            return false;
    return true;
}

void kept_begin(struct kept *kept)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kept_kinds[i]->broker_begins)
            kept_kinds[i]->broker_begins(kept);
    kept->generation++;
}

void kept_renew(struct kept *kept)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kept_kinds[i]->renew)
            kept_kinds[i]->renew(kept);
}

void kept_become_lent(struct kept *kept)
{
    for (size_t i = kept->count; i > 0; i--) {
        const struct keeper_kind *kind = find_kind(kept->entries[i - 1].name);

        if (!kind || !kind->lent)
            close_entry(kept, i - 1);
    }
}

void kept_end(const struct kept *kept)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kept_kinds[i]->service_ends)
            kept_kinds[i]->service_ends(kept);
}
