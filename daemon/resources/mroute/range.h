/* Ranges: the routes that are no single flow, found by the groups that they are for.
 *
 * A flow is of the most specific range that has it: the smallest range of groups, in it the
 * smallest of sources, then an interface before a pattern, then the oldest. */
#ifndef NB_RANGE_H
#define NB_RANGE_H

#include "route.h"

/* The routes of a range from one interface or pattern. */
struct part {
    LIST_ENTRY(part) in_range; /* range.parts, which owns it */
    LIST_HEAD(, route) routes; /* not owned; the first one knows the interface */
    unsigned count;
    bool mixed; /* there was no memory to part those whose interface became another */
};

struct range {
    struct hash_link in_groups; /* ranges.groups, which owns it */
    struct prefix group;
    unsigned count;
    unsigned any_count;       /* those of all sources */
    unsigned *source_lengths; /* owned: how many others there are of each length; NULL: none yet */
    LIST_HEAD(, part) parts;
};

struct ranges {
    struct hash_table groups;
    struct hash_table keys; /* the routes, by group and source */
    uint64_t seed;          /* set before; the rest is zero at first */
    unsigned lengths[129];  /* how many there are of each length of group prefix */
};

void ranges_clear(struct ranges *ranges);

/* False: no memory; nothing was changed. */
bool ranges_add(struct ranges *ranges, struct route *route);
void ranges_remove(struct ranges *ranges, struct route *route);

/* Before the iface of a range that is there becomes another, because they are one now. */
void ranges_move(struct ranges *ranges, struct route *route, const struct iface *into);

/* A range of the same key and iface takes another's place. */
void ranges_replace(struct ranges *ranges, struct route *old, struct route *new);

/* How many routes are for a range that has the group. */
unsigned ranges_count(const struct ranges *ranges, const struct address *group);

/* The route that a flow is of, which comes in by this iface (NULL: by any), or NULL. */
struct route *ranges_find(const struct ranges *ranges, const struct address *source,
                          const struct address *group, const struct iface *iface);

/* Each route that shares flows with one of this source and group, wherever they come in, and that
 * is not more specific: the most specific first, until visit returns false. iif: those that have
 * only some of its sources are visited only where they may be from this interface or pattern, too;
 * NULL: there are none. All are found by the index, and no others are looked at but those that have
 * other sources from the same interface. */
void ranges_visit_around(const struct ranges *ranges, const struct prefix *source,
                         const struct prefix *group, const char *iif,
                         bool (*visit)(void *context, struct route *route), void *context);

/* How many routes are of exactly these groups, and whether any are of one group. */
unsigned ranges_count_of(const struct ranges *ranges, const struct prefix *group);
bool ranges_have_single(const struct ranges *ranges);

/* Each route of exactly these groups and of all sources, until visit returns false. */
void ranges_visit_any(const struct ranges *ranges, const struct prefix *group,
                      bool (*visit)(void *context, struct route *route), void *context);

#endif
