/* How the library makes replies. */
#ifndef NB_REPLY_H
#define NB_REPLY_H

#include "fdpass.h"
#include "netbroker.h"

/* Reads one reply or event of length bytes. Returns 0, -EBADMSG or -ENOMEM. The reply is released
 * with nb_reply_free. */
int reply_parse(struct nb_reply **ret_reply, const char *bytes, size_t length);

/* How many descriptors it names. */
size_t reply_fd_count(const struct nb_reply *reply);

/* They are the reply's from now on, and so is the memory. */
void reply_give_fds(struct nb_reply *reply, struct passed *passed);

/* Closes and frees them. NULL is allowed. */
void passed_free(struct passed *passed);

#endif
