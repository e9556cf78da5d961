/* The kinds of resources: the one list that joins them to the broker. */
#include "broker/resource.h"

#ifdef NB_TEST_KINDS
#define TEST_KINDS(K) K(null)
#else
#define TEST_KINDS(K)
#endif

/* K(name): the folder NAME has `const struct resource_ops NAME_ops`. */
#define KINDS(K)                                                                                   \
    K(mroute)                                                                                      \
    K(join)                                                                                        \
    K(tap)                                                                                         \
    K(capture)                                                                                     \
    K(inject)                                                                                      \
    TEST_KINDS(K)

#define K(name) extern const struct resource_ops name##_ops;
KINDS(K)
#undef K

const struct resource_ops *const kinds[] = {
#define K(name) &name##_ops,
    KINDS(K)
#undef K
        NULL,
};

_Static_assert(sizeof kinds / sizeof *kinds <= KINDS_MAX + 1, "a service has room for so many");
