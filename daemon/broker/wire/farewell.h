/* The farewell: the time between the last reply to a connection, which says why it ends, and its
 * end. What the client still sends is read and dropped, so that it can write its request and then
 * read the reason. To close a socket with input that was not read would be an error at the other
 * end (ECONNRESET), and to write to one that is closed is one as well (EPIPE, and a signal).
 *
 * Farewells are few and short. Where there is no room for one more, the connection ends at once;
 * its client can still read the reason, and then sees the end. */
#ifndef NB_FAREWELL_H
#define NB_FAREWELL_H

#include "services.h"

enum {
    FAREWELLS_MAX = 256,
    FAREWELLS_PER_USER = 16,
    FAREWELL_SECONDS = 2,
    FAREWELL_BYTES = 1024 * 1024, /* that are read and dropped */
};

/* Ends a connection that counts as the user's, as received_end_connection does, after a farewell.
 */
void farewell_begin(struct services *services, uv_loop_t *loop, struct account *user, int fd,
                    bool passes);

/* Ends those of a user who may have another connection in their place. */
void farewells_make_room(struct services *services, uid_t uid);

/* A second has passed. */
void farewells_tick(struct services *services);

/* The service ends. */
void farewells_stop(struct services *services);

#endif
