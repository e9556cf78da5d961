/* What clients sent and nobody wants: descriptors, and connections where some may lie that were not
 * received. Only the closer closes them.
 *
 * The kernel closes, in the thread that reads, what finds no room, and out-of-band data that is not
 * read in line. So there is room for all that one read can bring, or nothing is read that has
 * descriptors: until the closer has done some, where its user has his share of them already. A
 * close that never ends harms only those who send descriptors. */
#ifndef NB_RECEIVED_H
#define NB_RECEIVED_H

#include "services.h"

/* Closes a descriptor that the user is charged for. */
void received_close(struct services *services, struct account *user, int fd);

/* Ends a connection that counts as the user's, who sees the end at once. passes: descriptors may
 * arrive; where some have, it counts until all are closed. */
void received_end_connection(struct services *services, struct account *user, int fd, bool passes);

/* The same where no descriptors arrive and all was read, to the end. */
void received_end_read_connection(struct services *services, struct account *user, int fd);

/* Whether so many connections of the user wait for the closer, with what came by them, that no
 * other should be taken before it has closed some. */
bool received_are_too_many(const struct services *services, uid_t uid);

/* The closer has closed some: whom it stopped may go on. */
void received_note_closed(struct services *services);

/* The service ends. */
void received_stop(struct services *services);

#endif
