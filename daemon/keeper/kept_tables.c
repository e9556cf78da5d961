#include "kept_tables.h"

#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "mroute-%s-%u" /* in the manager's store */

static bool parse_name(const char *name, size_t length, struct mroute_socket *ret)
{
    char copy[64], again[64];
    unsigned family, table;

    if (length >= sizeof copy)
        return false;
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (sscanf(copy, "mroute-ipv%u-%u", &family, &table) != 2 ||
        (family != FAMILY_IPV4 && family != FAMILY_IPV6))
        return false;
    snprintf(again, sizeof again, NAME, family_name((uint8_t)family), table);
    *ret = (struct mroute_socket){-1, (uint8_t)family, table};
    return strcmp(copy, again) == 0;
}

/* The manager keeps a copy as well, so that the table outlives the keeper (sd_notify(3)). */
static void store(const struct mroute_socket *socket)
{
    char state[96];

    snprintf(state, sizeof state, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NAME, family_name(socket->family),
             socket->table);
    notify_manager(state, socket->fd);
}

static bool is_known(const struct kept_tables *kept, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < kept->id_count; i++)
        if (kept->ids[i].family == family && kept->ids[i].table == table)
            return true;
    return false;
}

static void remember_id(struct kept_tables *kept, uint8_t family, uint32_t table)
{
    if (is_known(kept, family, table) || kept->id_count == TABLE_IDS_MAX)
        return;
    kept->ids[kept->id_count].family = family;
    kept->ids[kept->id_count++].table = table;
}

void kept_tables_take(struct kept_tables *kept, const struct mroute_socket *socket)
{
    kept->sockets[kept->count++] = *socket;
    remember_id(kept, socket->family, socket->table);
}

int kept_tables_inherit(struct kept_tables *kept, int fd, const char *name, size_t length)
{
    struct mroute_socket socket;

    if (!parse_name(name, length, &socket) || kept->count == KEPT_TABLES_MAX)
        return -EINVAL;
    socket.fd = fd;
    kept_tables_take(kept, &socket);
    return 0;
}

struct mroute_socket *kept_tables_find(struct kept_tables *kept, uint32_t family, uint32_t table)
{
    for (size_t i = 0; i < kept->count; i++)
        if (kept->sockets[i].family == family && kept->sockets[i].table == table)
            return &kept->sockets[i];
    return NULL;
}

void kept_tables_store(const struct kept_tables *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        store(&kept->sockets[i]);
}

int kept_tables_open(struct kept_tables *kept, uint8_t family, uint32_t table)
{
    const struct mroute_socket *open = kept_tables_find(kept, family, table);
    struct mroute_socket socket = {.family = family, .table = table};

    if (open)
        return open->fd;
    if (kept->count == KEPT_TABLES_MAX)
        return -ENFILE;
    if (!is_known(kept, family, table) && kept->id_count == TABLE_IDS_MAX)
        return -EDQUOT;
    socket.fd = mroute_socket_open(family, table);
    if (socket.fd < 0)
        return socket.fd;
    kept_tables_take(kept, &socket);
    store(&socket);
    return socket.fd;
}

void kept_tables_close(struct kept_tables *kept, uint32_t family, uint32_t table)
{
    struct mroute_socket *socket = kept_tables_find(kept, family, table);
    char state[96];

    if (!socket)
        return;
    snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=" NAME, family_name(socket->family),
             socket->table);
    notify_manager(state, -1);
    mroute_rules_clear(socket->family, socket->table);
    close(socket->fd);
    *socket = kept->sockets[--kept->count];
}

void kept_tables_end(const struct kept_tables *kept)
{
    for (size_t i = 0; i < kept->count && !notify_has_manager(); i++)
        mroute_rules_clear(kept->sockets[i].family, kept->sockets[i].table);
}
