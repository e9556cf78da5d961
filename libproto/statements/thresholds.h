/* TTL thresholds of interfaces, by name and by pattern. */
#ifndef NB_THRESHOLDS_H
#define NB_THRESHOLDS_H

#include "table.h"

/* More interfaces than one routing table can have; patterns come on top of names. */
enum { THRESHOLDS_MAX = 2 * VIFS_MAX };

/* The TTL threshold of an interface, or of all whose names begin as the pattern "eth+" says. */
struct threshold {
    struct interface_name name;
    uint32_t ttl;
};

struct thresholds {
    uint32_t count;
    struct threshold entries[THRESHOLDS_MAX];
};

/* The threshold that the name or pattern of an interface has: of the same name, else of the
 * longest pattern that has all of its interfaces; 1 where there is none. */
uint32_t thresholds_find(const struct thresholds *thresholds, const char *name);

/* Sets the threshold of a name. False: there are THRESHOLDS_MAX of others. */
bool thresholds_set(struct thresholds *thresholds, const struct threshold *threshold);

#endif
