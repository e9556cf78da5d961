#include "kept_joins.h"

#include "notify.h"
#include "platform/joins.h"
#include "platform/process.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All sockets of a generation have one name in the manager's store. */
#define NAME   "joins-%u"
#define RECORD "joins-record"

static bool parse_name(const char *name, size_t length, uint32_t *ret)
{
    char copy[32], again[32];

    if (length >= sizeof copy)
        return false;
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (sscanf(copy, NAME, ret) != 1)
        return false;
    snprintf(again, sizeof again, NAME, *ret);
    return strcmp(copy, again) == 0 && *ret > 0 && *ret < UINT32_MAX;
}

static void store(int fd, uint32_t generation)
{
    char state[64];

    snprintf(state, sizeof state, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NAME, generation);
    notify_manager(state, fd);
}

/* Closes what is of the generation, here and in the store. */
static void drop(struct kept_joins *kept, uint32_t generation)
{
    char state[64];
    size_t left = 0;

    snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=" NAME, generation);
    notify_manager(state, -1);
    for (size_t i = 0; i < kept->count; i++)
        if (kept->sockets[i].generation == generation)
            close(kept->sockets[i].fd);
        else
            kept->sockets[left++] = kept->sockets[i];
    kept->count = left;
}

static void drop_others(struct kept_joins *kept, uint32_t generation)
{
    size_t i = 0;

    while (i < kept->count)
        if (kept->sockets[i].generation == generation)
            i++;
        else
            drop(kept, kept->sockets[i].generation); /* and those before i stay where they are */
}

void kept_joins_make_record(struct kept_joins *kept)
{
    if (kept->record >= 0)
        return;
    kept->record = process_memory_file(RECORD);
    if (kept->record >= 0)
        notify_manager("FDSTORE=1\nFDPOLL=0\nFDNAME=" RECORD, kept->record);
}

static bool inherit_record(struct kept_joins *kept, int fd, const char *name, size_t length)
{
    if (kept->record >= 0 || length != strlen(RECORD) || memcmp(name, RECORD, length) != 0)
        return false;
    kept->record = fd;
    return true;
}

/* Of several generations the oldest is complete: it would have gone otherwise. */
int kept_joins_inherit(struct kept_joins *kept, int fd, const char *name, size_t length)
{
    uint32_t generation;

    if (inherit_record(kept, fd, name, length))
        return 0;
    if (!parse_name(name, length, &generation) || kept->count == KEPT_JOINS_MAX)
        return -EINVAL;
    kept->sockets[kept->count].fd = fd;
    kept->sockets[kept->count++].generation = generation;
    if (kept->complete == 0 || generation < kept->complete)
        kept->complete = generation;
    if (generation > kept->generation)
        kept->generation = generation;
    return 0;
}

void kept_joins_begin(struct kept_joins *kept)
{
    drop_others(kept, kept->complete);
    kept->generation++;
}

void kept_joins_forget(struct kept_joins *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        close(kept->sockets[i].fd);
    kept->count = 0;
}

static size_t count_current(const struct kept_joins *kept)
{
    size_t count = 0;

    for (size_t i = 0; i < kept->count; i++)
        count += kept->sockets[i].generation == kept->generation;
    return count;
}

int kept_joins_open(struct kept_joins *kept, uint32_t family)
{
    int fd;

    if (family != FAMILY_IPV4 && family != FAMILY_IPV6)
        return -EINVAL;
    if (kept->count == KEPT_JOINS_MAX || count_current(kept) == JOIN_SOCKETS_MAX)
        return -ENFILE;
    fd = joins_socket_open((uint8_t)family);
    if (fd < 0)
        return fd;
    kept->sockets[kept->count].fd = fd;
    kept->sockets[kept->count++].generation = kept->generation;
    store(fd, kept->generation);
    return fd;
}

void kept_joins_complete(struct kept_joins *kept)
{
    kept->complete = kept->generation;
    drop_others(kept, kept->generation);
}
