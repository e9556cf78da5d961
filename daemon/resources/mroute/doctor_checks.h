/* The single checks of the doctor: each looks at one thing and adds what it found. */
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
    const struct mfc *mfc; /* the table, or NULL: it is not open */
    const struct links *links;
    uint8_t family;
    uint32_t table;
    struct address source, group;     /* FAMILY_NONE: not known */
    bool any_source;                  /* none is asked for */
    const char *asked_iif;            /* as the question names it, or NULL */
    const char *iif;                  /* the same, else the route's, or NULL */
    const char *pattern;              /* the same, where it is none: iif is NULL then */
    const struct link_info *iif_link; /* that interface, or NULL */
    const struct route *route;        /* that takes the flow, or NULL */
    struct route_view view;           /* of the route */
    struct arrivals arrivals;
    bool one_of_many;               /* only a pattern means the interface: it may be down */
    bool quiet;                     /* what is in order is not worth a finding */
    bool hopeless;                  /* what comes next would mean nothing */
    const char *check;              /* the word of the running check */
    const struct flow_watch *watch; /* with packets; else NULL */
    struct findings *findings;
};

struct check {
    const char *word;
    void (*run)(struct examination *e);
};

/* Runs the checks in their order, until one says that there is no hope. */
void checks_run(struct examination *e, const struct check *checks, size_t count);

/* Those that a flow is put to, and those that an interface is put to. */
extern const struct check flow_checks[], interface_checks[];
extern const size_t flow_check_count, interface_check_count;

enum {
    STRAYS_SHOWN_MAX = 16,
    FLOW_TEXT_MAX = 2 * PREFIX_TEXT_MAX + 5,
    HINT_MAX = sizeof((struct finding *)0)->hint,
};

/* The strays of the table that are of this flow, as far as it is known; newest first. */
void check_strays(struct examination *e);

/* The route of the flow: the exact one, else the range that takes it from the interface asked for,
 * else from any. Of a group alone, the one that most is said of. NULL: there is none. */
const struct route *find_route(const struct examination *e);

/* The wanted route that it was learned from, or the route itself. */
const struct route *wanted_route(const struct route *route);

/* Counts the packets of what is asked for. */
void count_arrivals(const struct examination *e, struct arrivals *ret);

/* Whether the route takes packets from the interface or pattern. */
bool route_takes_from(const struct route *route, const char *iif);

void check_route(struct examination *e);
void check_iif(struct examination *e);
void check_oifs(struct examination *e);

/* Adds a finding of the running check; hint may be "". */
void add_finding(struct examination *e, enum verdict verdict, const char *hint, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* "(S, G)" into text[FLOW_TEXT_MAX], which is returned; what is not known is "*". */
const char *flow_text(const struct address *source, const struct address *group, char *text);

/* "(S, G)" of a route, which may be prefixes. */
const char *route_text(const struct route *route, char *text);

/* Writes the command that adds a route of the flow into hint[HINT_MAX], or where e->route is
 * known, the command that wants the same from iif. iif may be NULL. */
void suggest_route(const struct examination *e, const char *iif, char *hint);

/* Whether the kernel has what the service wrote there; with a difference there is no hope. */
void check_kernel(struct examination *e);

/* The watching of a flow, and what it says of its TTL. */
void watch_begin(const struct examination *e, struct flow_watch *ret);
void watch_look(const struct examination *e, struct flow_watch *watch);
void check_watched_ttl(struct examination *e);

#define TTL_HINT                                                                                   \
    "Have the sender set a greater TTL (IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS); the default is 1."

/* Packets: what the counters tell, and the filter of source addresses. */
void check_arrival(struct examination *e);
void check_wrong_interface(struct examination *e);
void check_ttl(struct examination *e);
void check_firewall(struct examination *e);
void check_source_filter(struct examination *e);

#endif
