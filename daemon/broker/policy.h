/* The policy: who may do what, on which interfaces, groups and tables.
 *
 * policy_decide is a pure function of the rules, the peer, the verb and the target. Deny wins,
 * nothing that matches means no, and the administrator may do what no rule denies: root, and, where
 * the service was started by somebody else, that user. Where the rules could not be read it is
 * closed, and the administrator alone is allowed anything. */
#ifndef NB_POLICY_H
#define NB_POLICY_H

#include "address.h"
#include "bounds.h"
#include "platform/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RULES_MAX = 256,
    RULE_NAME_MAX = 40,
    /* Of one kind in one rule. */
    RULE_ITEMS_MAX = 32,
    /* A route's interfaces, and those of the route that it replaces. */
    TARGET_INTERFACES_MAX = 2 * (VIFS_MAX + 1),
};

struct rule {
    char name[RULE_NAME_MAX + 1];
    bool deny;
    bool everyone;
    unsigned leases; /* that a user whom it allows may hold; 0: as many as any user */
    unsigned user_count, group_count, verb_count, interface_count, prefix_count, table_count;
    uid_t users[RULE_ITEMS_MAX];
    gid_t groups[RULE_ITEMS_MAX];
    char verbs[RULE_ITEMS_MAX][WORD_LENGTH_MAX + 1];         /* names and patterns with '*' */
    char interfaces[RULE_ITEMS_MAX][INTERFACE_NAME_MAX + 1]; /* the same; none: any */
    struct prefix prefixes[RULE_ITEMS_MAX];                  /* of multicast groups; none: any */
    uint32_t tables[RULE_ITEMS_MAX];                         /* none: any */
};

struct policy {
    uid_t administrator; /* beside root */
    bool closed;         /* no rule holds: only the administrator is allowed anything */
    size_t count;
    struct rule *rules; /* owned */
};

/* What a request is about. What it does not say is not narrowed: it is about all there is. */
struct target {
    unsigned interface_count;
    const char
        *interfaces[TARGET_INTERFACES_MAX]; /* borrowed; with '+' behind: all that begin so */
    struct prefix group;                    /* FAMILY_NONE: not said */
    uint32_t table;                         /* 0: not said */
    bool everywhere; /* there are more interfaces than it can hold, so it names none */
};

struct decision {
    bool allowed;
    const struct rule *rule; /* the rule that decided; NULL: an administrator, none matches, or
                                the policy is closed */
};

/* The same on whatever a rule allows the verb on: for requests whose parts are decided each. */
struct decision policy_decide_somewhere(const struct policy *policy, const struct peer *peer,
                                        const char *verb);

struct decision policy_decide(const struct policy *policy, const struct peer *peer,
                              const char *verb, const struct target *target);

#endif
