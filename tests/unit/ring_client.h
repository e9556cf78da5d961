/* A client of libnetbroker to which a ring is sent as a service would. */
#ifndef NB_TEST_RING_CLIENT_H
#define NB_TEST_RING_CLIENT_H

#include "netbroker.h"

/* Connects a client, has it ask, and answers with these descriptors, which are closed, by the names
 * of a list in JSON, such as "\"ring\",\"page\"". `take` has the reply, and has been called. */
struct nb_client *ring_client_open(const char *action, const char *names, const int *fds,
                                   unsigned count,
                                   void (*take)(struct nb_client *client,
                                                const struct nb_reply *reply, void *context),
                                   void *context);

#endif
