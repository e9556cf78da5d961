/* Injectors: what users may send out of interfaces.
 *
 * An injector is held by a connection, and ends with it. Its lease begins before anything is made;
 * then the keeper opens a descriptor for its interface, unless another injector has one for it:
 * those have one sender together (sender.h). Its memory, and the rate at which it may send, are
 * charged to its user before it is made, and until it is gone. */
#ifndef NB_INJECTS_H
#define NB_INJECTS_H

#include "broker/netifs.h"
#include "broker/pool.h"
#include "broker/resource.h"
#include "broker/thread_work.h"
#include "broker/waiter.h"
#include "config.h"
#include "error.h"
#include "sender.h"
#include "table.h"
#include "timed_thread.h"

/* T(NAME, word on the wire): what an injector is, and what may happen to it.
 * OPENING: its lease is recorded, and the keeper is asked for a descriptor; then its memory is
 * made. OPEN: frames are sent. It may be given up, or its interface may go. CLOSING: its lease has
 * ended, and its memory is not freed yet: a thread has it, or its client may look for what became
 * of its last frames, for some seconds (INJECT_LINGERS). Nobody sees it, but its user pays for it.
 */
#define INJECT_STATES(T)                                                                           \
    T(OPENING, "opening")                                                                          \
    T(OPEN, "open")                                                                                \
    T(CLOSING, "closing")

enum injector_state {
#define T(name, word) INJECT_##name,
    INJECT_STATES(T)
#undef T
};

/* V(NAME, topic): what can happen to an injector, and the event that tells of it. */
#define INJECT_EVENTS(V)                                                                           \
    V(OPENED, "injector.opened")                                                                   \
    V(CLOSED, "injector.closed")

enum injector_event {
#define V(name, topic) INJECT_##name##_EVENT,
    INJECT_EVENTS(V)
#undef V
};

/* Seconds that the page of a ring which has ended is kept for its client to look at. */
enum { INJECT_LINGERS = 5 };

/* What a request means. */
struct injector_config {
    char interface[INTERFACE_NAME_MAX + 1];
    uint32_t ifindex;
    uint32_t size;   /* bytes of the ring: a power of two */
    uint32_t rate;   /* frames a second, at most */
    bool timed;      /* they have times: */
    uint32_t late;   /* us: what is later is not sent; 0: all is */
    uint64_t start;  /* ms since 1970 of time 0; 0: with the first frame */
    bool asked;      /* timed: for this rate, which the machine must hold */
    bool template;   /* the service makes them; `timed` as well: */
    uint32_t tables; /* bytes of samples */
    struct ethertype_list ethertypes;
    struct send_scope scope;
};

struct injector {
    TAILQ_ENTRY(injector) in_order;   /* struct injectors owns it */
    TAILQ_ENTRY(injector) in_waiting; /* of its sender, while is_waiting */
    struct resource resource;         /* held by nobody: it is closing */
    struct waiters waiters;           /* for its ring */
    struct injectors *injectors;
    struct injector_config config;
    uint32_t number; /* grows with each injector */
    uid_t uid;       /* who pays for it */
    enum injector_state state;
    struct thread_work work;
    bool is_working;          /* a thread makes or frees its memory: it is not forgotten */
    bool is_waiting;          /* for the keeper's answer */
    bool is_lingering;        /* all but the page of its ring is freed */
    unsigned lingered;        /* seconds */
    bool is_held;             /* it is not freed, whatever happens to it */
    enum ring_end end;        /* why it ends, if that is known */
    struct inject_port *from; /* NULL: it has none any more */
    struct timed *timed;      /* borrowed; of its memory, while that is made */
    struct outlet *outlet;    /* owned, while the sender has it not */
};

/* An interface with its sender, or one whose descriptor the keeper is asked for. */
struct inject_port {
    TAILQ_ENTRY(inject_port) in_ports; /* struct injectors owns it */
    struct keeper_call call;
    struct injectors *injectors;
    uint32_t ifindex;
    struct sender *sender;          /* owned; NULL: it is not there yet, or not any more */
    TAILQ_HEAD(, injector) waiting; /* for it; not owned */
    unsigned users;                 /* injectors that are not freed */
    bool asked;                     /* the keeper's answer is to come */
    bool stopping;
};

TAILQ_HEAD(injector_queue, injector);

extern const struct resource_ops inject_ops;

struct injectors_callbacks {
    void (*event)(void *context, enum injector_event event, const struct injector *injector);
    void (*close)(void *context, int fd); /* without waiting for the kernel */
    void (*wake)(void *context);          /* by threads: have injectors_settle called */
    void *context;
};

struct injectors {
    struct resource_host host;
    struct injectors_callbacks callbacks;
    struct injector_queue order; /* oldest first */
    TAILQ_HEAD(inject_ports, inject_port) ports;
    struct pool pool;  /* of bytes */
    struct pool rates; /* of frames a second */
    struct timed_thread timed;
    uint32_t last_number;
    uint32_t rate_share; /* of one user */
    uint64_t opened, refused;
    uint64_t sent, refused_frames; /* of those that were freed */
    bool is_stopping;
};

/* The host is copied. */
void injectors_init(struct injectors *injectors, const struct resource_host *host,
                    const struct injectors_callbacks *callbacks);

void injectors_set_limits(struct injectors *injectors, const struct limits *limits);

/* Ends all threads, and waits for that. */
void injectors_stop(struct injectors *injectors);

/* Forgets all; after injectors_stop. */
void injectors_clear(struct injectors *injectors);

/* What a request means, if it is one that can be: its interface is there, and frames may be sent
 * out of it. rate_limit: see struct call. */
bool injectors_judge(struct injectors *injectors, const struct args_open_inject *args,
                     uint32_t rate_limit, struct injector_config *ret, struct error *error);

/* Whether its user has room for it. */
bool injectors_have_room(struct injectors *injectors, const struct injector_config *config,
                         uid_t uid, struct error *error);

/* Begins the holder's lease on a new injector. NULL: *error says why. */
struct injector *injectors_add(struct injectors *injectors, const struct injector_config *config,
                               const struct holder *holder, struct error *error);

/* Has it opened: now, or after the keeper's answer; then those who wait are resumed, and it is
 * open, or they are told the error and it is gone. False with *error: it cannot be; it is to be
 * abandoned.
 */
bool injector_begin(struct injector *injector, struct error *error);
void injector_abandon(struct injector *injector);

/* Hands a descriptor of its ring over; place: 0 ring, 1 page, 2 bell, 3 room. */
int injector_take_fd(struct injector *injector, unsigned place);

/* The injector of this number, unless it is closing, or NULL. */
struct injector *injectors_find(const struct injectors *injectors, uint32_t number);

/* The next one behind this number that is not closing, or NULL. */
struct injector *injectors_next(const struct injectors *injectors, uint32_t number);

/* The last lease of it ended: it is closed. */
void injector_release(struct resource *resource);
struct injector *injector_of_resource(const struct resource *resource);

/* Takes what threads gave back. */
void injectors_settle(struct injectors *injectors);

void injectors_netif_changed(struct injectors *injectors, const struct netif *was,
                             const struct netif *is);

/* A second has passed. */
void injectors_tick(struct injectors *injectors);

#endif
