/* The single checks of the doctor: each answers one question and adds what it found. */
#ifndef NB_DOCTOR_CHECKS_H
#define NB_DOCTOR_CHECKS_H

#include "doctor.h"
#include "mfc.h"

/* What the kernel counted of the packets that are asked for. */
struct arrivals {
    unsigned flows; /* exact entries of the kernel */
    uint64_t packets, bytes, wrong_interface;
};

/* What is known of the flow, or of the interface, that is looked at. */
struct examination {
    struct mroute *mroute;
    const struct reader *reader; /* who asks; NULL: somebody who may read everything */
    bool hidden;                 /* there is a route, but that one may not read it: route is NULL */
    const struct mfc *mfc;       /* the table, or NULL: it is not open */
    const struct netifs *netifs;
    uint8_t family;
    uint32_t table;
    struct address source, group;    /* FAMILY_NONE: not known */
    bool any_source;                 /* none is asked for */
    const struct found_route *found; /* of the inquiry */
    unsigned others;                 /* routes of the group that are wanted, beside this one */
    const char *asked_iif;           /* as the question names it, or NULL */
    const char *iif;                 /* the same, else the route's, or NULL */
    const char *pattern;             /* the same, where it is none: iif is NULL then */
    const struct netif *netif_in;    /* that interface, or NULL */
    const struct route *route;       /* that takes the flow, or NULL */
    struct route_view view;          /* of the route */
    struct arrivals arrivals;
    bool one_of_many;               /* only a pattern means the interface: it may be down */
    bool quiet;                     /* what is in order is not worth a finding */
    bool hopeless;                  /* what comes next would mean nothing */
    const char *check;              /* the word of the running check */
    const struct flow_watch *watch; /* with packets; else NULL */
    const int *counters;            /* those of struct flow_watch */
    struct findings *findings;
};

/* What is known of the question, with the route. */
struct examination open_examination(const struct inquiry *inquiry);

/* Puts the flow, or only the interface, to the checks in their order, until one says that there is
 * no hope. */
void run_checks(struct examination *e, bool of_interface);

enum {
    UNROUTED_SHOWN_MAX = 16,
    TABLE_TEXT_MAX = 48,
    FLOW_TEXT_MAX = 2 * PREFIX_TEXT_MAX + 5,
    HINT_MAX = sizeof((struct finding *)0)->hint,
};

/* The unrouted flows of the table that are of this flow, as far as it is known; newest first. */
void check_unrouted(struct examination *e);

/* The route of the flow: the exact one, else the range that takes it from the interface asked for,
 * else from any. Of a group alone, the one that most is said of. NULL: there is none, or none that
 * the asker may read (e->hidden). */
const struct route *find_route(struct examination *e);

/* Looks whether the route is the one that most is said of the group that is asked for. */
void consider_route(const struct inquiry *inquiry, const struct route *route,
                    struct found_route *found);

/* Whether the asker may read the route, or holds it; and the route itself, or NULL. */
bool may_tell_route(const struct examination *e, const struct route *route);
const struct route *tell_route_of(struct examination *e, const struct route *route);

/* Whether it may read what comes in by the interface in the table. */
bool may_tell_netif(const struct examination *e, const char *name, uint32_t table);

/* "multicast routing table 7", or "another multicast routing table". Returns text. */
const char *tell_table(const struct examination *e, uint32_t table, char text[TABLE_TEXT_MAX]);

/* The wanted route that it was learned from, or the route itself. */
const struct route *wanted_route(const struct route *route);

/* Whether the route names the interface itself as an outgoing one, and not by a pattern. */
bool route_names_oif(const struct route *route, const char *oif);

/* Whether the route takes packets from the interface or pattern. */
bool route_takes_from(const struct route *route, const char *iif);

void check_route(struct examination *e);
void check_iif(struct examination *e);
void check_oifs(struct examination *e);

/* Writes the command that adds a route of the flow into hint[HINT_MAX], or where e->route is
 * known, the command that wants the same from iif. iif may be NULL. */
void suggest_route(const struct examination *e, const char *iif, char *hint);

/* Counts the packets of what is asked for. */
void count_arrivals(const struct examination *e, struct arrivals *ret);

/* What the watching of the flow says. */
void check_watched_ttl(struct examination *e);
void check_firewall(struct examination *e);

#endif
