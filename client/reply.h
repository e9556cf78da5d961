/* How the library makes replies. */
#ifndef NB_REPLY_H
#define NB_REPLY_H

#include "netbroker.h"

/* Reads one reply or event of length bytes. Returns 0, -EBADMSG or -ENOMEM. The reply is released
 * with nb_reply_free. */
int reply_parse(struct nb_reply **ret_reply, const char *bytes, size_t length);

#endif
