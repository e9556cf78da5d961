/* What outlives a broker: descriptors by name. A copy of each is in the service manager's store
 * (sd_notify(3)), where there is one, so that they outlive a keeper as well.
 *
 * The beginning of a name says the kind, of which there is one row in table.h; the rest is the
 * kind's affair. */
#ifndef NB_KEEPER_KEPT_H
#define NB_KEEPER_KEPT_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The memory in which brokers write down what is wanted, for the broker after them. */
#define KEPT_JOURNAL "journal"

enum {
    LENT_MAX = 592,          /* descriptors that one broker may have of the keeper */
    KEPT_MAX = 2 * LENT_MAX, /* of the broker before, and of this one */
    KEPT_NAMES_EVER_MAX = 256,
    KEPT_NAME_MAX = 47,
    LISTENERS_MAX = 4, /* sockets a service manager may hand over; see descriptors.h */
    JOURNAL_SIZE = 256 << 20,
};

struct kept {
    struct {
        char name[KEPT_NAME_MAX + 1]; /* no two have the same */
        int fd;
        bool stored; /* the manager has a copy, where there is one */
    } entries[KEPT_MAX];
    size_t count;
    char names_ever[KEPT_NAMES_EVER_MAX][KEPT_NAME_MAX + 1]; /* of kinds that last */
    size_t name_ever_count;
    bool inherited;      /* something came from the manager's store */
    bool outdated;       /* an older version ran last, which leaves the journal as it was */
    uint32_t generation; /* of the broker that runs: each has its own, over keepers as well */
    int listeners[LISTENERS_MAX];
    size_t listener_count;
    bool made_socket; /* the first of them was made by this process, with this file */
    dev_t socket_device;
    ino_t socket_inode;
};

struct keeper_kind {
    const char *prefix; /* of its names, and of no other kind's */
    size_t most;        /* at the same time */
    bool lent;          /* a broker begins with a copy of each */
    bool lasts; /* what a name stands for stays in the kernel when it is closed: so many names are
                 * ever taken, and no more */
    /* Whether a descriptor of the manager's store is what its name says. */
    bool (*accept)(struct kept *kept, const char *name, int fd);
    /* Before the keeper gives up privileges, with what was inherited. False: there is no going on,
     * and it said why. NULL, as the next three: it does nothing. */
    bool (*start)(struct kept *kept, const struct config *config);
    void (*broker_begins)(struct kept *kept);
    /* Brokers die one after the other: what one wrote that others read is made anew. */
    void (*renew)(struct kept *kept);
    void (*service_ends)(const struct kept *kept);
};

/* The descriptor of that name, which stays the keeper's, or -1. */
int kept_find(const struct kept *kept, const char *name);

/* Whether one of a name that is not kept may be: 0; -ENFILE: as many of its kind are kept as may
 * be; -EDQUOT: as many names were ever kept as may be. */
int kept_judge(const struct kept *kept, const char *name);

/* Keeps the descriptor, owned from now on. Else it stays the caller's: as kept_judge, or -EEXIST.
 * kept_add gives the manager a copy. At the start, nothing is given before all is right. */
int kept_take(struct kept *kept, const char *name, int fd);
int kept_add(struct kept *kept, const char *name, int fd);

/* Closes the descriptor of that name, and takes it out of the manager's store. */
void kept_remove(struct kept *kept, const char *name);

/* Takes a descriptor of the manager's store, owned from now on, if it is what its name says. Else
 * the manager is told to forget the name. */
bool kept_inherit(struct kept *kept, const char *name, int fd);

/* All is inherited: a journal that an older version has left behind is given up. */
void kept_inherited(struct kept *kept);

/* What the kinds do at the start; false: the service cannot start. */
bool kept_start(struct kept *kept, const struct config *config);

/* Gives the manager a copy of each that it has not. */
void kept_store(struct kept *kept);

/* A new broker begins. */
void kept_begin(struct kept *kept);

/* No broker gets over what is there. */
void kept_renew(struct kept *kept);

/* In the broker: closes what is not lent. */
void kept_become_lent(struct kept *kept);

/* The service ends. */
void kept_end(const struct kept *kept);

#endif
