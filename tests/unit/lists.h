/* Lists of what connections hold - captures, injectors - as users are shown them. */
#ifndef NB_TEST_LISTS_H
#define NB_TEST_LISTS_H

#include "client.h"

enum { LISTS_ALICE = 1001, LISTS_BOB = 1002 };

/* Clients: root's, two of Alice's, one of Bob's. Alice holds two, on the interfaces a and b, and
 * Bob one on b. */
struct lists_scene {
    int root, alice, bob;
    const char *hold; /* the verb by which they do */
    const char *show; /* the request */
    const char *list; /* its key in the payload */
};

/* Of others a user is shown what raw.read lets him see; whoever may do nothing with frames is
 * refused. The policy's rules are these afterwards: none that is of use. */
void lists_show_what_is_ones_own(struct service *s, const struct lists_scene *scene);

#endif
