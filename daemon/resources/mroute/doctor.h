/* The doctor: why are multicast packets not forwarded? It compares what is wanted with what the
 * kernel says of its interfaces, filters, rules and counters, and changes nothing. */
#ifndef NB_DOCTOR_H
#define NB_DOCTOR_H

#include "broker/findings.h"
#include "broker/guard/reader.h"
#include "mroute.h"

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

/* Of a group alone, the route that most is said of; it may have gone since it was found. */
struct found_route {
    bool is_there;
    bool hidden; /* there are some, but the asker may not read them */
    bool learned;
    struct prefix source, group;
    char iif[INTERFACE_NAME_MAX + 1];
    unsigned relevance;
    unsigned wanted; /* routes of the group that are wanted, and may be told */
};

/* What is asked, and who asks; all borrowed. */
struct inquiry {
    struct mroute *mroute;
    const struct netifs *netifs;
    const struct args_diagnose *question;
    const struct reader *reader; /* NULL: somebody who may read everything */
    const struct found_route *found;
};

/* Begins to watch the flow of the question. False: no packet of it was ever counted, or the
 * question names none. */
bool doctor_watch_begin(const struct inquiry *inquiry, struct flow_watch *ret);

/* Looks what became of its packets since then. False: looking again would tell no more. */
bool doctor_watch_look(const struct inquiry *inquiry, struct flow_watch *watch);

enum { INTERFACES_EXAMINED_MAX = 64 };

/* One question on its way. Between the pieces of the work others are served, so it has no pointer
 * to what may go. */
struct doctor {
    struct inquiry inquiry; /* its `found` is the doctor's own */
    struct found_route found;
    struct route_cursor routes; /* as long as `walks` */
    bool walks;
    /* Works for some ten microseconds, or for a flow some hundred; what was found is added to the
     * findings. NULL: it is done. */
    void (*next)(struct doctor *doctor, struct findings *findings);
    const struct flow_watch *watch; /* borrowed; what was seen of the flow's packets, or NULL */
    unsigned table, place;          /* how far it is: the table; the interface, of this or of all */
    struct mroute_totals totals;    /* of the tables that were looked at */
    unsigned seen_count;
    struct {
        char name[INTERFACE_NAME_MAX + 1];
        uint8_t family;
    } seen[INTERFACES_EXAMINED_MAX];
};

/* Begins to find the route that is meant, where the question does not say which; before all else.
 * The inquiry stays as long as the doctor. */
void doctor_begin(struct doctor *doctor, const struct inquiry *inquiry);

/* Begins to examine one flow as far as the question names it; where it names nothing, all
 * interfaces that routes use, and the flows that came lately and have no route. It takes some ten
 * microseconds for each question to the kernel, of which there are about five an interface. */
void doctor_begin_examination(struct doctor *doctor, const struct flow_watch *watch);

/* Goes on with what was begun. False: it is done. */
bool doctor_go_on(struct doctor *doctor, struct findings *findings);

/* Forgets a question, at any time. */
void doctor_end(struct doctor *doctor);

#endif
