/* The parts of the daemon below the protocol, on the fake platform. */
#ifndef NB_UNIT_KERNEL_H
#define NB_UNIT_KERNEL_H

#include "broker/state/state.h"
#include "fake.h"
#include "resources/join/joins.h"
#include "resources/mroute/mroute.h"
#include "suite.h"

enum { V4 = FAMILY_IPV4, V6 = FAMILY_IPV6 };

struct kernel {
    struct netifs *netifs;
    struct leases leases; /* of routes and joins; a service has a registry of its own */
    struct mroute *mroute;
    struct joins *joins; /* of those who make them; told of interfaces */
    /* Is told of them as well, where a test says so. */
    void (*netif_changed)(void *context, const struct netif *was, const struct netif *is);
    void *netif_context;
    enum route_change change; /* what the last kernel_add did */
    struct error error;       /* why the last call was refused */
    char event[65536];        /* what the module told, e.g. "mfc.added 10.0.0.1 239.1.1.1\n" */
    unsigned asked, closed;   /* tables, by open_table and close_table */
    uint32_t asked_table;
    struct holder holder;           /* who asks; an administrator, until a test says otherwise */
    struct route_deletion deletion; /* what the last kernel_del did */
    bool ticks_needed;              /* by needs_ticks */
    unsigned works;                 /* calls of it */
    int owned;                      /* leases that are somebody's */
    struct upcall upcall;           /* the last one */
    struct mroute_healed healed;    /* the last one */
    unsigned rounds;                /* that healed something */
    struct state *state;            /* that is told of leases; NULL: none is */
};

/* A fake platform with these interfaces (separated by spaces), and the default tables open. */
void kernel_begin(struct kernel *kernel, const char *interfaces);
void kernel_end(struct kernel *kernel);

/* The parts alone, on the fake platform as it is: a process that starts again. */
void kernel_start(struct kernel *kernel);

/* Makes kernel->joins, whose sockets come at once and who tell nobody; kernel_end frees them. */
void kernel_start_joins(struct kernel *kernel);

/* Opens a table and lets the module adopt it. Returns a copy of its descriptor, as the keeper
 * holds one; the caller closes it. */
int kernel_open_table(struct kernel *kernel, uint8_t family, uint32_t table);

/* A copy of the descriptor of the family's default table, as the keeper holds one, which keeps it
 * when the module ends; the caller's. */
int kernel_open_copy(struct kernel *kernel, uint8_t family);

/* A prefix, as a request means it. */
struct prefix kernel_prefix(const char *text);

/* The arguments of a request; source may be NULL, oifs are separated by commas. */
struct args_add_mfc route_args(const char *source, const char *group, const char *iif,
                               const char *oifs);

/* True when it was done; *kernel holds what was changed, or the error. */
bool kernel_add(struct kernel *kernel, const char *source, const char *group, const char *iif,
                const char *oifs);
bool kernel_del(struct kernel *kernel, const char *source, const char *group);

/* Deletes the routes that the filter selects, as FLUSH_MFC does; returns how many there were. */
size_t kernel_flush(struct kernel *kernel, const struct mroute_filter *filter, bool dry_run);

/* Ends all that the session holds. */
void end_leases(struct leases *leases, struct held_leases *session);

/* Lets the module learn of changed interfaces. */
void kernel_update(struct kernel *kernel);

/* The routes there are, each as "SOURCE GROUP IIF OIF,OIF STATE\n". Valid until the next call. */
const char *kernel_routes(struct kernel *kernel);

/* The entry of the default table, which must be there: the names of its inbound interface and, by
 * VIF, of those with a TTL, e.g. "a b:1 c:16". Valid until the next call. */
const char *kernel_entry(struct kernel *kernel, const char *source, const char *group);

/* Asserts what holds at any time; see invariants.h. What the kernel told of interfaces was read
 * before. */
void kernel_check(struct kernel *kernel);

#endif
