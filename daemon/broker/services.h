/* What the functions of actions work on. */
#ifndef NB_SERVICES_H
#define NB_SERVICES_H

#include "audit.h"
#include "events.h"
#include "json.h"
#include "mistakes.h"
#include "policy.h"
#include "resources/joins/joins.h"
#include "resources/links.h"
#include "resources/mroute/mroute.h"
#include "session.h"
#include "slices.h"
#include "users.h"

#include <sys/queue.h>

/* What STATUS tells of the service itself. */
struct service_facts {
    pid_t keeper, broker;
    char keeper_privileges[64], broker_privileges[64];
    char keeper_sandbox[64], broker_sandbox[64]; /* what is in force */
    unsigned restarts;                           /* brokers that died since the keeper's start */
    uint64_t started_ns;                         /* uv_hrtime() at the broker's start */
    const char *socket;                          /* the configured path */
    const char *state_file;                      /* "": none */
};

struct services {
    uv_loop_t *loop; /* NULL: there is none, and nothing waits for a moment */
    struct mroute *mroute;
    int counters[2]; /* of IPv4 and IPv6, of diagnose.h; negative: none */
    struct joins *joins;
    struct links *links;
    struct events events;
    struct policy policy;
    struct file_mistakes mistakes;
    struct user_names *names; /* of the system's users; NULL: none */
    struct audit audit;
    struct users users;
    struct sessions sessions;
    struct slices slices;
    LIST_HEAD(observations, observation) observations; /* what DIAGNOSE watches */
    struct service_facts facts;
    const struct server *server;
    const struct state *state; /* NULL: there is no state file */
    uint64_t requests;         /* since the start, refused ones as well */
};

/* Writes a route as one JSON object: how SHOW, SHOW_MFC and the events tell of it. */
void write_route(struct json *json, const struct route_view *view);

/* The same with what becomes of it, e.g. "deleted". */
void write_change(struct json *json, const char *change, const struct route *route);

/* Begins the reply "MFC entry for (S, G) DONE." with the member `result`; end it with reply_close.
 */
struct json *reply_open_entry(struct call *call, const struct prefix *source,
                              const struct prefix *group, const char *done, const char *result);

/* Defers the call until the table is open, or its rules are in place. False: it is too late for
 * that, go on. */
bool defer_for_table(struct call *call, uint8_t family, uint32_t table);

/* Replies how many routes a FLUSH_MFC deleted, and how many the user let go of that others hold. */
void reply_flushed(struct call *call, size_t count, size_t kept, bool dry_run);

/* Whether a FLUSH_MFC deletes only what its user holds. */
bool flush_is_of_own(const struct args_flush_mfc *args);

/* Begins it, as a set without routes that replaces what the user holds. False: no memory. */
bool begin_own_flush(struct call *call, const struct args_flush_mfc *args);

/* ADD_MFC while the session collects a set. */
void stage_route(struct call *call, const struct args_add_mfc *args);

/* Ends a reply's payload with the list `key` of the routes that the filter selects, each written by
 * `write`: now or, where there are many, slice by slice. */
void reply_routes(struct call *call, struct json *out, const char *key,
                  const struct mroute_filter *filter,
                  void (*write)(struct json *out, const struct route *route));

/* How replies call a route's state, by enum route_state. */
extern const char *const route_state_words[];

/* Who asks, as one who holds things: by the lease that the call was granted. */
struct owner owner_of(const struct call *call, bool while_connected);

/* Writes a hold on a thing of a kind (e.g. "mfc") as one JSON object of LEASES. */
void write_hold(struct json *out, const struct hold *hold, const char *kind, const char *what);

/* Publishes what happened to a join. */
void publish_join(struct services *services, enum join_news news, const struct join *join);

/* Publishes what happened to a route. */
void publish_route(struct services *services, enum route_news news, const struct route *route);

/* Publishes that packets came for which there is no route, or by the wrong interface. */
void publish_upcall(struct services *services, uint8_t family, uint32_t table,
                    const struct upcall *upcall);

#endif
