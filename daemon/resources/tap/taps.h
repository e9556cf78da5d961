/* Taps: Ethernet interfaces whose cable ends at a program of the user who asked.
 *
 * A tap is held by one user, and lasts as long as its interface. The lease is recorded before the
 * keeper is asked to make the interface, and its descriptor goes to the client: neither keeper nor
 * broker has a copy afterwards. So a broker that ends, however it ends, touches no frame, and a
 * client that ends takes its tap with it: the kernel tells that the interface is gone, and that
 * ends the lease. A lease that ends otherwise has the keeper delete the interface, whatever its
 * holder did to it, and its name is free when that is gone.
 *
 * A macvtap (config.uplink) stays when its descriptor is closed. Its holder has a lifeline as well
 * (lifeline.h), and its lease ends with the last copy of that.
 *
 * A persistent tap has no descriptor to hand out: its user, who owns it, opens it by its name. It
 * lasts until its lease ends, and is made again where it is missing. */
#ifndef NB_TAPS_H
#define NB_TAPS_H

#include "broker/netifs.h"
#include "broker/pool.h"
#include "broker/resource.h"
#include "broker/waiter.h"
#include "config.h"
#include "error.h"
#include "hash.h"
#include "lifeline.h"
#include "platform/taps.h"
#include "stock.h"
#include "table.h"
#include "told.h"

/* T(NAME, word on the wire): what a tap is, and what may happen to it.
 * OPENING: its lease is recorded, and the keeper is asked. Its end waits for the answer.
 * OPEN: the interface is there. It may go, and the lease with it.
 * WAITING: for its bridge, whose port it becomes when that is there; or, where it is persistent and
 * could not be made again, for the next attempt.
 * CLOSING: its lease has ended, and the interface is being deleted. Nobody sees it; its name is
 * taken, and its user pays for it, until that is gone. */
#define TAP_STATES(T)                                                                              \
    T(OPENING, "opening")                                                                          \
    T(OPEN, "open")                                                                                \
    T(WAITING, "waiting")                                                                          \
    T(CLOSING, "closing")

enum tap_state {
#define T(name, word) TAP_##name,
    TAP_STATES(T)
#undef T
};

/* V(NAME, topic): what can happen to a tap, and the event that tells of it. */
#define TAP_EVENTS(V)                                                                              \
    V(OPENED, "tap.opened")                                                                        \
    V(CLOSED, "tap.closed")                                                                        \
    V(WAITING, "tap.waiting")                                                                      \
    V(RESTORED, "tap.restored")

enum tap_event {
#define V(name, topic) TAP_##name##_EVENT,
    TAP_EVENTS(V)
#undef V
};

struct tap {
    TAILQ_ENTRY(tap) in_order; /* struct taps owns it; not if it is forgotten */
    struct hash_link in_names; /* the same */
    struct resource resource;  /* held by nobody: it is closing */
    struct keeper_call call;   /* while it is asked; then the call owns one that is forgotten */
    struct waiters waiters;    /* for its descriptor; of one that is closing, for its name */
    struct taps *taps;
    struct tap_config config;  /* as it is wanted */
    uint64_t serial;           /* grows with each tap */
    uid_t uid;                 /* who pays for it */
    unsigned ifindex;          /* 0: there is no interface */
    unsigned cursors;          /* that stand at it */
    struct lifeline *lifeline; /* of a macvtap; NULL: it has none */
    unsigned attempts;         /* at opening the device of a macvtap that is made */
    unsigned fd_count;         /* that the keeper handed over for its holder */
    unsigned fd_taken;         /* of them */
    int fds[TAP_QUEUES_MAX];   /* owned, until they are taken */
    enum tap_state state;
    struct told_link relay; /* what the relay on it says */
    bool asked;             /* the keeper's answer is to come */
    bool remade;    /* nobody waits for it: it was there before this broker, or is made again */
    bool forgotten; /* it is freed when that comes */
    bool logged;    /* the log has why it waits */
};

TAILQ_HEAD(tap_queue, tap);

extern const struct resource_ops tap_ops;

struct taps_callbacks {
    void (*event)(void *context, enum tap_event event, const struct tap *tap);
    void (*close)(void *context, int fd); /* without waiting for the kernel */
    void (*told)(void *context, enum link_event event, const struct told *told, const char *why);
    void *context;
};

struct taps {
    struct resource_host host;
    struct taps_callbacks callbacks;
    const char *prefix;     /* of all names; borrowed */
    struct tap_queue order; /* oldest first */
    struct hash_table names;
    LIST_HEAD(, tap_cursor) cursors; /* open ones */
    struct pool pool;
    struct stock stock;
    struct lifelines lifelines;
    struct told_links links;
    uint64_t serial;          /* of the next tap */
    struct waiters full;      /* who may have one more when one of their own has ended */
    unsigned waiting;         /* so many taps are */
    unsigned seconds;         /* that passed */
    uint64_t opened, refused; /* by this broker: taps that the keeper made, and did not */
};

/* The host is copied. */
void taps_init(struct taps *taps, const struct resource_host *host,
               const struct taps_callbacks *callbacks);

/* Forgets all; nothing is closed. */
void taps_clear(struct taps *taps);

void taps_set_limits(struct taps *taps, const struct limits *limits);

/* What a request means. Its name may be "". */
struct tap_config tap_config_of(const struct args_open_tap *args, uid_t uid);

/* The tap of that name, or NULL. */
struct tap *taps_find_tap(const struct taps *taps, const char *name);
struct tap *tap_of_resource(const struct resource *resource);

/* Writes the name of the tap that the request would be given to ret[INTERFACE_NAME_MAX + 1]: that
 * of a spare, or the first that is free. False: there is none. */
bool taps_choose(struct taps *taps, const struct args_open_tap *args, char *ret);

/* Writes the first name that is free to ret[INTERFACE_NAME_MAX + 1]. False: none is. */
bool taps_choose_name(const struct taps *taps, char *ret);

/* Whether no tap and no other interface has that name. */
bool taps_is_free(const struct taps *taps, const char *name);

/* Whether the service's settings allow such a tap, and it is none that cannot be; whatever there
 * is.
 */
bool taps_judge(const struct taps *taps, const struct tap_config *config, struct error *error);

/* Whether it can be opened as things are: its name is free, its bridge there, and its user has room
 * for it. */
bool taps_have_room(struct taps *taps, const struct tap_config *config, uid_t uid,
                    struct error *error);

/* Whether the user has his share of taps, and one of them may be about to end: its lease has ended,
 * or its program may have closed it. That is not seen until the kernel has deleted it, which takes
 * 16 ms and more for each, one after the other. */
bool taps_room_may_come(const struct taps *taps, uid_t uid);

/* Begins the holder's lease on a new tap, of a free name; the keeper is not asked. NULL: *error
 * says why. */
struct tap *taps_add(struct taps *taps, const struct tap_config *config,
                     const struct holder *holder, struct error *error);

/* The last process that had its lifeline has closed that: its lease ends. */
void tap_lose_holder(struct tap *tap);

/* Tries those again whose devices were not yet the service's. */
void taps_try_again(struct taps *taps);

/* Asks the keeper to make it. Its lease is recorded. Those who wait are resumed when it is there,
 * and one of them takes its descriptor then; or with an error, and it is gone. */
void tap_ask(struct tap *tap);

/* Its next descriptor, the caller's from now on; -1: it has none, or no more. */
int tap_take_fd(struct tap *tap);

/* Makes what was there before this broker, by its request, for its holder; see resource.h. */
enum restoring taps_restore(struct taps *taps, const struct tap_config *config,
                            const struct holder *holder, struct error *error);

/* All was restored: interfaces that the service made, and that are of no lease, are deleted. Where
 * not all is known (whole is false) they are held as found. */
void taps_settle(struct taps *taps, bool whole);

void taps_netif_changed(struct taps *taps, const struct netif *was, const struct netif *is);

/* A second has passed. */
void taps_tick(struct taps *taps);

/* The last lease of it ended: it is closed. */
void tap_release(struct resource *resource);

struct tap_totals {
    size_t taps, waiting, closing; /* `taps`: those that are not closing */
    size_t spares;
};

struct tap_totals taps_total(const struct taps *taps);

/* A walk over taps that are not closing, oldest first; it passes over those that begin after its
 * start. */
struct tap_cursor {
    struct taps *taps;
    struct tap *next;
    uint64_t last_serial;
    LIST_ENTRY(tap_cursor) in_open; /* taps.cursors */
};

void tap_cursor_open(struct tap_cursor *cursor, struct taps *taps);
bool tap_cursor_look(struct tap_cursor *cursor, const struct tap **ret); /* false: the end */
void tap_cursor_close(struct tap_cursor *cursor);

#endif
