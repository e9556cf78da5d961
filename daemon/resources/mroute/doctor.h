/* The doctor: why are multicast packets not forwarded? It compares what is wanted with what the
 * kernel says of its interfaces, filters, rules and counters, and changes nothing. */
#ifndef NB_DOCTOR_H
#define NB_DOCTOR_H

#include "mroute.h"

/* V(NAME, word on the wire), from good to bad. */
#define VERDICTS(V)                                                                                \
    V(OK, "ok")                                                                                    \
    V(INFO, "info")                                                                                \
    V(WARNING, "warning")                                                                          \
    V(PROBLEM, "problem")

enum verdict {
#define V(name, word) VERDICT_##name,
    VERDICTS(V)
#undef V
};

/* The word of a verdict on the wire. */
const char *verdict_word(enum verdict verdict);

struct finding {
    const char *check; /* a fixed word: what was looked at */
    enum verdict verdict;
    char message[320]; /* what is so */
    char hint[240];    /* what would help, e.g. a command, or "" */
};

enum { FINDINGS_MAX = 64 };

struct findings {
    unsigned count;
    unsigned omitted; /* for which there was no room */
    struct finding list[FINDINGS_MAX];
};

/* Counters of a flow, and of the interfaces that it leaves by. */
struct flow_sample {
    uint64_t serial, writes; /* of the route; of its table */
    uint64_t packets, bytes; /* of the flow */
    bool others_known;
    bool all_known;
    uint64_t all_given, all_sent; /* multicast packets: routed to any interface; sent by any */
    unsigned oif_count;
    struct watched_oif {
        unsigned ifindex, vif, ttl, mtu;
        bool known, sent_known;
        uint64_t given;  /* packets that were routed there */
        uint64_t others; /* packets of other entries that should have been */
        uint64_t sent;   /* packets of any kind that the interface sent */
    } oifs[VIFS_MAX];
};

/* A flow that is watched for a moment; see doctor_watch.c. */
struct flow_watch {
    const int *counters; /* set before: the counters of IPv4 and IPv6, of diagnose.h; or NULL */
    bool runs;           /* looking again may tell more */
    struct flow_sample begin;
    struct flow_sample grown; /* since then; packets 0: none came */
};

/* Begins to watch the flow of the question. False: no packet of it was ever counted, or the
 * question names none. */
bool doctor_watch_begin(struct mroute *mroute, const struct links *links,
                        const struct args_diagnose *question, struct flow_watch *ret);

/* Looks what became of its packets since then. False: looking again would tell no more. */
bool doctor_watch_look(struct mroute *mroute, const struct links *links,
                       const struct args_diagnose *question, struct flow_watch *watch);

/* Examines one flow as far as the question names it; where it names nothing, all interfaces that
 * routes use, and the flows that came lately and have no route. Takes some ten microseconds for
 * each question to the kernel, of which there are about five an interface.
 * watch: what was seen of the flow's packets, or NULL. */
void doctor_examine(struct mroute *mroute, const struct links *links,
                    const struct args_diagnose *question, const struct flow_watch *watch,
                    struct findings *ret);

#endif
