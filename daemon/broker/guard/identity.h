/* Who a peer is to the service: the user whom accounts, leases and rules go by.
 *
 *   - Root and the administrator, where their socket lies in another network namespace than the
 *     service, are users of their own, without what those may do here.
 *   - A uid of /etc/passwd is the user of this number.
 *   - A subordinate uid (subuids.h) is its owner. Where that is root, the administrator or nobody
 *     of /etc/passwd, the range is a user of its own.
 *   - Any other uid is a user if a rule names it by its number. Else nobody knows it, and it is
 *     refused: a user who may take any number would be as many users as he wants. */
#ifndef NB_IDENTITY_H
#define NB_IDENTITY_H

#include "error.h"
#include "policy.h"
#include "subuids.h"

struct identity {
    struct user_names *names; /* borrowed; NULL: each uid is a user */
    struct subuids *subuids;  /* borrowed; NULL: nobody has any */
    struct place place;       /* of the service */
};

/* Makes the peer, as peer_identify found it, the user that it is. False with *error: it may not
 * connect, and is of the user UID_UNKNOWN, or in too many groups. */
bool identity_settle(const struct identity *identity, const struct policy *policy,
                     struct peer *peer, struct error *error);

/* The same by what was read of the system's files before, which is not looked at again: for what
 * comes often. False: nobody knows the peer by that. */
bool identity_settle_read(const struct identity *identity, const struct policy *policy,
                          struct peer *peer);

/* What a message calls the peer, e.g. "alice (1000), by the uid 100005, of another network
 * namespace". Returns text. */
enum { PEER_TEXT_MAX = USER_TEXT_MAX + UID_TEXT_MAX + 48 };
const char *peer_format(struct user_names *names, const struct peer *peer,
                        char text[PEER_TEXT_MAX]);

#endif
