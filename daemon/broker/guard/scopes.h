/* What of an interface the policy lets somebody do, for who asks before a request is made.
 *
 * policy_decide answers for one target. This is the other way round: the targets on one interface
 * that it would allow, in few words. */
#ifndef NB_SCOPES_H
#define NB_SCOPES_H

#include "policy.h"

enum {
    SCOPES_MAX = 8, /* of an interface; more are not told */
    SCOPE_TYPES_MAX = 2 * RULE_ITEMS_MAX,
};

/* A request is allowed where its directions are among these, and its EtherTypes, each of which it
 * has to name, are among these; or, with all_but, are none of these. With all_but and no types it
 * need not name any. It may ask for what goes to other stations, too, where promiscuous is set. */
struct scope {
    uint8_t directions;
    bool promiscuous;
    bool all_but;
    unsigned type_count;
    uint16_t types[SCOPE_TYPES_MAX];
};

/* Returns how many there are; 0: nothing is allowed. None lies within another one, and the widest
 * one of a rule comes first. */
unsigned policy_scopes(const struct policy *policy, const struct peer *peer, const char *verb,
                       const char *interface, struct scope ret[SCOPES_MAX]);

#endif
