/* The limits of the service that the administrator may change: [limits] of netbrokerd.conf(5).
 *
 * What no administrator needs to change stands beside the code that it bounds. */
#ifndef NB_LIMIT_H
#define NB_LIMIT_H

/* L(member, name in the file, default, least, most) */
#define LIMITS(L)                                                                                  \
    /* Each costs a descriptor and less than 1 KiB; there are never more than descriptors for. */  \
    L(connections, "connections", 65536, 1, 1048576)                                               \
    /* 0: a quarter of these, so that one greedy user leaves most of them to the others. */        \
    L(connections_per_user, "connections-per-user", 0, 1, 1048576)                                 \
    /* A quarter of ROUTES_MAX: each costs about 350 bytes here and in the kernel. */              \
    L(leases_per_user, "leases-per-user", 65536, 1, 1048576)                                       \
    /* A request takes 4 to 20 us: one user has less than half of the broker's time. */            \
    L(requests_per_second, "requests-per-second", 20000, 1, 1000000000)                            \
    /* What the network makes us learn: as many as one user may hold. */                           \
    L(learned_routes, "learned-routes", 65536, 1, 262144)                                          \
    /* Flows without a route: the kernel keeps 3 packets of each for 10 s. */                      \
    L(unmatched_flows, "unmatched-flows", 1024, 1, 1024)                                           \
    /* For replies and events that wait for their readers: an eighth of the unit's MemoryMax. */   \
    L(queued_bytes, "queued-bytes", 67108864, 65536, 1073741824)                                   \
    /* A quarter of it: those who do not read fill it for themselves, and not for others. */       \
    L(queued_bytes_per_user, "queued-bytes-per-user", 16777216, 65536, 1073741824)                 \
    /* Nobody who writes a request of 16 KiB to a local socket needs longer. */                    \
    L(request_seconds, "request-seconds", 5, 1, 86400)                                             \
    /* A connection that asks nothing and awaits nothing costs others its place. */                \
    L(idle_seconds, "idle-seconds", 30, 1, 86400)                                                  \
    /* Who reads nothing for so long while a reply waits is not going to read it. */               \
    L(reply_seconds, "reply-seconds", 30, 1, 86400)

struct limits {
#define L(member, name, value, least, most) unsigned member;
    LIMITS(L)
#undef L
};

#define LIMITS_DEFAULT                                       ((struct limits){LIMITS(LIMITS_DEFAULT_ROW)})
#define LIMITS_DEFAULT_ROW(member, name, value, least, most) .member = (value),

#endif
