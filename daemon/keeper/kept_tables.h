/* The sockets that own multicast routing tables, and the rules that lead packets to them. They
 * outlive a broker and, in the manager's store, a keeper: as long as one copy of a table's socket
 * is open, the kernel forwards by the table. */
#ifndef NB_KEEPER_KEPT_TABLES_H
#define NB_KEEPER_KEPT_TABLES_H

#include "platform/mroute.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    KEPT_TABLES_MAX = 16, /* the broker's own limit is the same */
    /* The kernel frees a table other than its default only with the network namespace
     * (ipmr_new_table in net/ipv4/ipmr.c), so it is bounded how many are ever made. */
    TABLE_IDS_MAX = 256,
};

struct kept_tables {
    struct mroute_socket sockets[KEPT_TABLES_MAX];
    size_t count;
    struct {
        uint8_t family;
        uint32_t table;
    } ids[TABLE_IDS_MAX]; /* ever opened by this keeper */
    size_t id_count;
};

/* Takes the socket of a manager's store, owned from now on, if its name says that it is a table's.
 * 0 or -EINVAL. */
int kept_tables_inherit(struct kept_tables *kept, int fd, const char *name, size_t length);

/* Takes a socket that was opened at the start, owned from now on. */
void kept_tables_take(struct kept_tables *kept, const struct mroute_socket *socket);

/* The table's socket, or NULL. */
struct mroute_socket *kept_tables_find(struct kept_tables *kept, uint32_t family, uint32_t table);

/* Gives the manager a copy of each. */
void kept_tables_store(const struct kept_tables *kept);

/* Opens the table, unless it is open. The descriptor stays the keeper's; or a negative errno:
 * -ENFILE: as many are open as may be; -EDQUOT: as many were ever opened as may be. */
int kept_tables_open(struct kept_tables *kept, uint8_t family, uint32_t table);

/* Closes the table, deletes the rules that lead to it, and takes it out of the manager's store. */
void kept_tables_close(struct kept_tables *kept, uint32_t family, uint32_t table);

/* At the end of the service: deletes the rules, unless a manager keeps the tables for the next. */
void kept_tables_end(const struct kept_tables *kept);

#endif
