/* The policy: who may do what, on which interfaces, groups and tables.
 *
 * policy_decide is a pure function of the rules, the peer, the verb and the target. Deny wins,
 * nothing that matches means no, and the administrator may do what no rule denies: root, and, where
 * the service was started by somebody else, that user; or whom the policy names instead. Where the
 * rules could not be read it is closed, and root and that user alone are allowed anything. A rule
 * that allows holds for peers of the service's network namespace, unless it says otherwise. */
#ifndef NB_POLICY_H
#define NB_POLICY_H

#include "platform/process.h"
#include "target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RULES_MAX = 256,
    RULE_NAME_MAX = 40,
    /* Of one kind in one rule. */
    RULE_ITEMS_MAX = 32,
};

/* Users by number: one, or a range. */
struct uid_range {
    uid_t first, last;
};

/* Who is allowed what no rule denies. */
struct administrators {
    uid_t uids[2]; /* (uid_t)-1: nobody */
};

/* Whether a rule is about what goes to other stations: one that allows and says NO allows none, one
 * that denies and says YES denies those alone. */
enum rule_promiscuous { PROMISCUOUS_ANY, PROMISCUOUS_NO, PROMISCUOUS_YES };

struct rule {
    char name[RULE_NAME_MAX + 1];
    bool deny;
    bool everyone;
    bool any_netns;  /* also peers of other network namespaces */
    unsigned leases; /* that a user whom it allows may hold; 0: as many as any user */
    unsigned user_count, group_count, verb_count, interface_count, prefix_count, table_count;
    struct uid_range users[RULE_ITEMS_MAX];
    gid_t groups[RULE_ITEMS_MAX];
    char verbs[RULE_ITEMS_MAX][WORD_LENGTH_MAX + 1];         /* names and patterns with '*' */
    char interfaces[RULE_ITEMS_MAX][INTERFACE_NAME_MAX + 1]; /* the same; none: any */
    struct prefix prefixes[RULE_ITEMS_MAX];                  /* of multicast groups; none: any */
    uint32_t tables[RULE_ITEMS_MAX];                         /* none: any */
    unsigned ethertype_count;
    uint16_t ethertypes[RULE_ITEMS_MAX]; /* none: any */
    uint8_t directions;                  /* of enum direction; 0: any */
    enum rule_promiscuous promiscuous;
    struct send_scope scope;
    uint32_t rate; /* that a request which it allows may have; 0: any */
};

struct policy {
    uid_t started_by; /* an administrator beside root */
    bool names_administrator;
    uid_t administrator; /* whom it names in their place; (uid_t)-1: nobody */
    bool closed;         /* no rule holds: only root and started_by are allowed anything */
    size_t count;
    struct rule *rules; /* owned */
};

struct decision {
    bool allowed;
    const struct rule *rule; /* the rule that decided; NULL: an administrator, none matches, or
                                the policy is closed */
};

/* Who the administrators are now. */
struct administrators policy_administrators(const struct policy *policy);
bool administrators_have(const struct administrators *administrators, uid_t uid);
bool policy_is_administrator_uid(const struct policy *policy, uid_t uid);

/* Whether the peer is one: not with a subordinate id, and not elsewhere. */
bool policy_is_administrator(const struct policy *policy, const struct peer *peer);

/* Whether a rule that allows names the user by number. */
bool policy_names_uid(const struct policy *policy, uid_t uid);

/* The same on whatever a rule allows the verb on: for requests whose parts are decided each. */
struct decision policy_decide_somewhere(const struct policy *policy, const struct peer *peer,
                                        const char *verb);

struct decision policy_decide(const struct policy *policy, const struct peer *peer,
                              const char *verb, const struct target *target);

/* Whether the rule is about the peer, the verb and the interface, whatever else it is about. */
bool rule_concerns(const struct rule *rule, const struct peer *peer, const char *verb,
                   const char *interface);

#endif
