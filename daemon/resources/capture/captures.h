/* Captures: what users have asked to see of the frames of interfaces.
 *
 * A capture is held by a connection, and ends with it. Its lease begins before anything is made;
 * then the keeper opens the frames of its interface, unless another capture of its user has asked
 * for the same of it and was granted that: those have one source together (source.h). Its memory is
 * charged to its user before it is made, and until it is gone, whatever its client keeps of it. */
#ifndef NB_CAPTURES_H
#define NB_CAPTURES_H

#include "broker/netifs.h"
#include "broker/pool.h"
#include "broker/resource.h"
#include "broker/thread_work.h"
#include "broker/waiter.h"
#include "config.h"
#include "error.h"
#include "source.h"
#include "table.h"

/* T(NAME, word on the wire): what a capture is, and what may happen to it.
 * OPENING: its lease is recorded, and the keeper is asked for its source; then its ring is made.
 * OPEN: frames come. It may be given up, or its interface may go.
 * CLOSING: its lease has ended, and its ring is not freed yet: a thread has it, or its client may
 * read what is in it, for some seconds (CAPTURE_LINGERS). Nobody sees it, but its user pays for it.
 */
#define CAPTURE_STATES(T)                                                                          \
    T(OPENING, "opening")                                                                          \
    T(OPEN, "open")                                                                                \
    T(CLOSING, "closing")

enum capture_state {
#define T(name, word) CAPTURE_##name,
    CAPTURE_STATES(T)
#undef T
};

/* V(NAME, topic): what can happen to a capture, and the event that tells of it. */
#define CAPTURE_EVENTS(V)                                                                          \
    V(OPENED, "capture.opened")                                                                    \
    V(CLOSED, "capture.closed")

enum capture_event {
#define V(name, topic) CAPTURE_##name##_EVENT,
    CAPTURE_EVENTS(V)
#undef V
};

/* Seconds that a ring which has ended is kept for its client to read. */
enum { CAPTURE_LINGERS = 5 };

/* What a request means. */
struct capture_config {
    struct packets_config packets;
    char interface[INTERFACE_NAME_MAX + 1];
    uint32_t snaplen;
    uint32_t size; /* bytes of the ring: a power of two */
};

struct capture {
    TAILQ_ENTRY(capture) in_order;   /* struct captures owns it */
    TAILQ_ENTRY(capture) in_waiting; /* of its source, while is_waiting */
    struct resource resource;        /* held by nobody: it is closing */
    struct waiters waiters;          /* for its ring */
    struct captures *captures;
    struct capture_config config;
    uint32_t number; /* grows with each capture */
    uid_t uid;       /* who pays for it */
    enum capture_state state;
    struct thread_work work;
    bool is_working;             /* a thread makes or frees its ring: it is not forgotten */
    bool is_freeing;             /* it frees it */
    bool is_lingering;           /* its ring is kept until it was read */
    unsigned lingered;           /* seconds */
    bool is_waiting;             /* for the keeper's answer */
    bool is_held;                /* it is not freed, whatever happens to it */
    enum ring_end end;           /* why it ends, if that is known */
    struct capture_source *from; /* NULL: it has none any more */
    struct frame_reader *reader; /* owned, while the source has it not */
};

/* A source, or one that the keeper is asked for. */
struct capture_source {
    TAILQ_ENTRY(capture_source) in_sources; /* struct captures owns it */
    struct keeper_call call;
    struct captures *captures;
    uid_t uid; /* whose captures it serves: filters of others would take its time */
    struct packets_config packets; /* normalized: equal ones are equal byte by byte */
    struct source *source;         /* owned; NULL: it is not there yet, or not any more */
    TAILQ_HEAD(, capture) waiting; /* for it; not owned */
    unsigned users;                /* captures that are not freed */
    bool asked;                    /* the keeper's answer is to come */
    bool stopping;
};

TAILQ_HEAD(capture_queue, capture);

extern const struct resource_ops capture_ops;

struct captures_callbacks {
    void (*event)(void *context, enum capture_event event, const struct capture *capture);
    void (*close)(void *context, int fd); /* without waiting for the kernel */
    void (*wake)(void *context);          /* by threads: have captures_settle called */
    void *context;
};

struct captures {
    struct resource_host host;
    struct captures_callbacks callbacks;
    struct capture_queue order; /* oldest first */
    TAILQ_HEAD(capture_sources, capture_source) sources;
    struct pool pool; /* of bytes */
    uint32_t last_number;
    uint64_t opened, refused;
    bool is_stopping;
};

/* The host is copied. */
void captures_init(struct captures *captures, const struct resource_host *host,
                   const struct captures_callbacks *callbacks);

void captures_set_limits(struct captures *captures, const struct limits *limits);

/* Ends all threads, and waits for that. */
void captures_stop(struct captures *captures);

/* Forgets all; after captures_stop. */
void captures_clear(struct captures *captures);

/* What a request means, if it is one that can be: its interface is there and may be captured, and
 * its filter is right. */
bool captures_judge(struct captures *captures, const struct args_open_capture *args,
                    struct capture_config *ret, struct error *error);

/* Whether its user has room for it. What he has read of rings that have ended is given back for it.
 */
bool captures_have_room(struct captures *captures, const struct capture_config *config, uid_t uid,
                        struct error *error);

/* Begins the holder's lease on a new capture; the filter is copied. NULL: *error says why. */
struct capture *captures_add(struct captures *captures, const struct capture_config *config,
                             const struct program *filter, const struct holder *holder,
                             struct error *error);

/* Has it opened: now, or after the keeper's answer; then those who wait are resumed, and it is
 * open, or they are told the error and it is gone. False with *error: it cannot be; it is to be
 * abandoned.
 */
bool capture_begin(struct capture *capture, struct error *error);
void capture_abandon(struct capture *capture);

/* Hands a descriptor of its ring over; place: 0 ring, 1 page, 2 bell. */
int capture_take_fd(struct capture *capture, unsigned place);

/* The capture of this number, unless it is closing, or NULL. */
struct capture *captures_find(const struct captures *captures, uint32_t number);

/* The next one behind this number that is not closing, or NULL. */
struct capture *captures_next(const struct captures *captures, uint32_t number);

/* The last lease of it ended: it is closed. */
void capture_release(struct resource *resource);
struct capture *capture_of_resource(const struct resource *resource);

/* Takes what threads gave back. */
void captures_settle(struct captures *captures);

void captures_netif_changed(struct captures *captures, const struct netif *was,
                            const struct netif *is);

/* A second has passed. */
void captures_tick(struct captures *captures);

#endif
