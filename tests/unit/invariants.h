/* What holds at any time for the multicast routes, whatever happened before: shared by the unit
 * tests and the fuzzer. It looks into the module and into the fake kernel, and counts all anew. */
#ifndef NB_UNIT_INVARIANTS_H
#define NB_UNIT_INVARIANTS_H

#include "fake.h"
#include "resources/mroute/mroute.h"

enum invariants {
    INVARIANTS_INSIDE, /* counts and lists agree with each other, and no VIF is a stranger's */
    INVARIANTS_KERNEL, /* and the kernel has just what the routes say, as the module may have been
                          told of interfaces */
    INVARIANTS_NETIFS, /* and they say what the interfaces are by now: all that the kernel told was
                         read */
};

/* NULL, or what does not hold. */
const char *invariants_broken(const struct mroute *mroute, const struct netifs *netifs,
                              enum invariants which);

/* Where a packet that comes in by this interface goes once its flow is learned: an obvious and slow
 * answer out of the list of the wanted routes alone. Returns how many interfaces it leaves by,
 * whose names are in ret. */
struct expected {
    unsigned count;
    const char *names[VIFS_MAX];
};

struct expected expected_packet(struct mroute *mroute, const struct netifs *netifs, uint32_t table,
                                const struct address *source, const struct address *group,
                                const char *iif);

#endif
