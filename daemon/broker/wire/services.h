/* What a service is made of. */
#ifndef NB_SERVICES_H
#define NB_SERVICES_H

#include "broker/closer.h"
#include "broker/guard/audit.h"
#include "broker/guard/identity.h"
#include "broker/guard/policy.h"
#include "broker/guard/users.h"
#include "broker/netifs.h"
#include "broker/resource.h"
#include "broker/slices.h"
#include "events.h"
#include "json.h"
#include "mistakes.h"
#include "platform/sandbox.h"
#include "sessions.h"
#include "turns.h"

#include <sys/queue.h>

/* What STATUS tells of the service itself. */
struct service_facts {
    pid_t keeper, broker;
    char keeper_privileges[64], broker_privileges[64];
    const struct sandbox_report *keeper_sandbox, *broker_sandbox;
    unsigned restarts;      /* brokers that died since the keeper's start */
    uint64_t started_ns;    /* uv_hrtime() at the broker's start */
    const char *socket;     /* the configured path */
    const char *state_file; /* "": none */
};

struct services {
    struct netifs *netifs;
    struct leases leases;
    struct kind_selves kinds;
    struct events events;
    struct policy policy;
    struct file_mistakes mistakes;
    struct user_names *names; /* of the system's users; NULL: none */
    struct identity identity; /* how it is found who a peer is */
    struct audit audit;
    struct users users;
    struct sessions sessions;
    struct closer *closer;          /* of what is ours; NULL: nothing was closed yet */
    struct closer *received_closer; /* of what clients sent, who may let it wait (received.h) */
    uv_async_t *received_closed;    /* wakes the loop when it has closed some; borrowed */
    struct slices slices;
    struct turns turns;                /* of sessions */
    uint64_t longest_ns[ACTION_COUNT]; /* that one piece of such a request took */
    LIST_HEAD(, pending) pendings;     /* requests that wait */
    LIST_HEAD(, farewell) farewells;   /* connections that end (farewell.h) */
    struct service_facts facts;
    const struct server *server;
    struct state *state; /* NULL: nothing is kept */
    uint64_t requests;   /* since the start, refused ones as well */
};

#endif
