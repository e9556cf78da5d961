/* The limits of the service that the administrator may change: [limits] of netbrokerd.conf(5).
 *
 * What no administrator needs to change stands beside the code that it bounds. */
#ifndef NB_LIMIT_H
#define NB_LIMIT_H

enum {
    /* Connections that wait in the kernel's queue of the listening socket, whoever made it: the
     * keeper, or the manager by Backlog= of its unit. A client that does not block gets EAGAIN
     * where it is full: a burst of them fits. */
    LISTEN_BACKLOG = 1024,
};

/* L(member, name in the file, default, least, most) */
#define LIMITS(L)                                                                                  \
    /* Each costs a descriptor, 0.7 KiB here and 4 KiB in the kernel; there are never more than    \
     * descriptors for. */                                                                         \
    L(connections, "connections", 16384, 1, 1048576)                                               \
    /* 0: a quarter of these, so that one greedy user leaves most of them to the others. */        \
    L(connections_per_user, "connections-per-user", 0, 1, 1048576)                                 \
    /* A quarter of ROUTES_MAX: each costs about 550 bytes here and 250 in the kernel. */          \
    L(leases_per_user, "leases-per-user", 65536, 1, 1048576)                                       \
    /* What others may be told to be a member of: a quarter of 10,240. */                          \
    L(memberships_per_user, "memberships-per-user", 2560, 1, 10240)                                \
    /* A quarter of 16; each is for ever in the kernel. */                                         \
    L(tables_per_user, "tables-per-user", 4, 1, 16)                                                \
    /* Half of the kernel's 32 VIFs of a table. */                                                 \
    L(interfaces_per_user, "interfaces-per-user", 16, 1, 32)                                       \
    /* Each is an interface, of some 50 KiB in the kernel, which takes 16 ms to delete it. */      \
    L(taps, "taps", 256, 1, 4096)                                                                  \
    /* A quarter of them. */                                                                       \
    L(taps_per_user, "taps-per-user", 64, 1, 4096)                                                 \
    /* Memory of captures, in MiB: of each its ring, and 8 that the kernel may have for it. */     \
    L(capture_mib, "capture-mib", 320, 1, 65536)                                                   \
    /* Five captures of the ordinary size. */                                                      \
    L(capture_mib_per_user, "capture-mib-per-user", 128, 1, 65536)                                 \
    /* Memory of injectors, in MiB: of each its ring. */                                           \
    L(inject_mib, "inject-mib", 64, 1, 65536)                                                      \
    /* A quarter of it. */                                                                         \
    L(inject_mib_per_user, "inject-mib-per-user", 16, 1, 65536)                                    \
    /* Frames a second of all injectors: more than two processors of today can send. */            \
    L(inject_rate, "inject-rate", 4000000, 1, 1000000000)                                          \
    /* Half of it; one injector gets a quarter of that, where it does not ask for a rate. */       \
    L(inject_rate_per_user, "inject-rate-per-user", 2000000, 1, 1000000000)                        \
    /* Frames a second that are sent at their time, by one thread before all others: each takes 4  \
     * us of a processor, so two fifths of one. */                                                 \
    L(timed_rate, "timed-rate", 100000, 1, 1000000)                                                \
    /* Half of it: ten streams of 4800 Hz. One injector gets a quarter of that, where it does not  \
     * ask for a rate. */                                                                          \
    L(timed_rate_per_user, "timed-rate-per-user", 50000, 1, 1000000)                               \
    /* Out of TIMED_STREAMS_MAX. */                                                                \
    L(timed_streams_per_user, "timed-streams-per-user", 16, 1, 64)                                 \
    /* A request takes 4 to 20 us: one user has less than half of the broker's time. */            \
    L(requests_per_second, "requests-per-second", 20000, 1, 1000000000)                            \
    /* What the network makes us learn: as many as one user may hold. */                           \
    L(learned_routes, "learned-routes", 65536, 1, 262144)                                          \
    /* 0: a quarter of these; and one range may learn half of its holder's. */                     \
    L(learned_routes_per_user, "learned-routes-per-user", 0, 1, 262144)                            \
    /* Who sends packets of many sources fills what may be learned for so long. */                 \
    L(learned_idle, "learned-idle-seconds", 3600, 60, 86400)                                       \
    /* Flows without a route: the kernel keeps 3 packets of each for 10 s. */                      \
    L(unmatched_flows, "unmatched-flows", 1024, 1, 1024)                                           \
    /* For requests, replies and events that wait: less than a sixteenth of its MemoryMax. */      \
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

/* Says what those are that are a part of another one and 0. Connections are a part of what there
 * are descriptors for; see users.c. */
static inline void limits_fill_in(struct limits *limits)
{
    if (limits->learned_routes_per_user == 0)
        limits->learned_routes_per_user = (limits->learned_routes + 3) / 4;
}

#endif
