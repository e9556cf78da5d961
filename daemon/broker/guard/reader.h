/* Who is told of what there is: a user reads what the policy lets the user read, and what the user
 * holds. All that tells of resources asks here, and leaves out the rest. Nothing is recorded. */
#ifndef NB_READER_H
#define NB_READER_H

#include "broker/resource.h"
#include "policy.h"

struct reader {
    const struct policy *policy; /* borrowed; NULL: all may be read */
    const struct peer *peer;     /* borrowed */
};

/* Whether the policy allows the verb, which is one of reading, on all of the target. */
bool reader_may_read(const struct reader *reader, const char *verb, const struct target *target);

/* Whether the user of the reader has a lease on the resource. */
bool reader_holds(const struct reader *reader, const struct resource *resource);

/* Whether one of the two is so. */
bool reader_may_see(const struct reader *reader, const struct resource *resource);

#endif
