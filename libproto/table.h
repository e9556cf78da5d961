/* The action table: the protocol in one place.
 *
 * A row is an action, a field is a line of it. Validation, dispatch, DESCRIBE, the command line,
 * its help and completion, the protocol reference and the fuzz dictionary are made from these
 * rows. To add an action: add its FIELDS_ list, its row in ACTIONS, and the function that the
 * compiler then misses in the daemon. */
#ifndef NB_TABLE_H
#define NB_TABLE_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- The types that a field can have ------------------------------------------------------- */

struct interface_name {
    char text[INTERFACE_NAME_MAX + 1];
};

struct interface_list {
    uint32_t count;
    struct interface_name names[VIFS_MAX];
};

struct number_list {
    uint32_t count;
    uint32_t values[VIFS_MAX];
};

struct word {
    char text[WORD_LENGTH_MAX + 1]; /* "": not given */
};

/* A user by number, so that the service need not look names up. */
struct user {
    bool given;
    uint32_t uid;
    uint32_t gid_count;
    uint32_t gids[USER_GROUPS_MAX]; /* all groups that the user is in */
};

struct topic_list {
    uint32_t count;
    char patterns[TOPICS_MAX][TOPIC_LENGTH_MAX + 1];
};

/* T(type, C type, how the command line calls a value of it). What a field of the type holds where
 * the request lacks it: all zero, but a number, which then holds the row's fallback. */
#define FIELD_TYPES(T)                                                                             \
    T(address, struct address, "ADDRESS")                                                          \
    T(source, struct prefix, "ADDRESS[/LENGTH]")                                                   \
    T(group, struct prefix, "GROUP[/LENGTH]")                                                      \
    T(interface, struct interface_name, "INTERFACE")                                               \
    T(interfaces, struct interface_list, "INTERFACE[,INTERFACE...]")                               \
    T(table, uint32_t, "TABLE")                                                                    \
    T(number, uint32_t, "NUMBER")                                                                  \
    T(numbers, struct number_list, "NUMBER[,NUMBER...]")                                           \
    T(flag, bool, "")                                                                              \
    T(word, struct word, "NAME")                                                                   \
    T(user, struct user, "USER")                                                                   \
    T(family, uint8_t, "ipv4|ipv6")                                                                \
    T(topics, struct topic_list, "TOPIC[,TOPIC...]")

enum field_type {
#define T(type, c_type, metavariable) FIELD_##type,
    FIELD_TYPES(T)
#undef T
        FIELD_TYPE_COUNT
};

/* ARGUMENT and OPTIONAL_ARGUMENT: required and optional alike, but on the command line they stand
 * in their order without a name. */
enum field_need { OPTIONAL, REQUIRED, ARGUMENT, OPTIONAL_ARGUMENT };

/* --- The rows: F(S, name, type, need, low, high, fallback, documentation) ------------------ */

#define FIELD_TABLE(F, S)                                                                          \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "The kernel's multicast routing table; by default 253 for IPv4 and 254 for IPv6. The "       \
      "service makes rules (ip mrule) that lead packets to any other table: one for each "         \
      "inbound interface of its routes, as long as they exist.")

#define FIELD_TABLE_FILTER(F, S)                                                                   \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "Only this multicast routing table; by default all.")

#define FIELD_FAMILY_FILTER(F, S)                                                                  \
    F(S, family, family, OPTIONAL, 0, 0, 0,                                                        \
      "Only this address family, ipv4 or ipv6; by default both.")

#define FIELD_DRY_RUN(F, S)                                                                        \
    F(S, dry_run, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Check everything and report what would be done, but change nothing.")

#define FIELD_SOURCE(F, S)                                                                         \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "The source address of the packets, or a prefix. By default any source, which is "           \
      "0.0.0.0 or ::.")

#define FIELD_WAIT(F, S)                                                                           \
    F(S, wait, flag, OPTIONAL, 0, 0, 0,                                                            \
      "Wait for interfaces that do not exist yet. Without this flag, they are an error.")

#define FIELD_WHILE_CONNECTED(F, S)                                                                \
    F(S, while_connected, flag, OPTIONAL, 0, 0, 0, "Hold it only as long as this connection lasts.")

#define FIELDS_ADD_MFC(F, S)                                                                       \
    FIELD_SOURCE(F, S)                                                                             \
    F(S, group, group, REQUIRED, 0, 0, 0,                                                          \
      "The multicast group that the packets are sent to, or a prefix; 224.0.0.0/4 and ff00::/8 "   \
      "are all groups. Link-local groups (224.0.0.x, ff02::x) are refused, because no router "     \
      "forwards them.")                                                                            \
    F(S, iif, interface, REQUIRED, 0, 0, 0,                                                        \
      "The inbound interface, where the packets arrive. A '+' at the end makes a pattern: "        \
      "eth+ is every interface whose name begins with eth.")                                       \
    F(S, oifs, interfaces, REQUIRED, 0, VIFS_MAX, 0,                                               \
      "The outgoing interfaces, or patterns such as eth+. If there is a source, the list "         \
      "may be empty: such a route stops its flow.")                                                \
    F(S, ttls, numbers, OPTIONAL, 1, 254, 0,                                                       \
      "IPv4: a TTL threshold for each outgoing interface, in the order of the oifs. Only "         \
      "packets with a greater TTL leave by it. By default 1 for each.")                            \
    F(S, idle, number, OPTIONAL, 1, IDLE_SECONDS_MAX, IDLE_SECONDS_DEFAULT,                        \
      "For a route with a prefix or a pattern: a learned route is deleted after this many "        \
      "seconds without a packet.")                                                                 \
    F(S, append, flag, OPTIONAL, 0, 0, 0,                                                          \
      "Add the oifs to those of the existing route from the same iif, instead of replacing "       \
      "it. If there is no such route, add it.")                                                    \
    FIELD_WAIT(F, S)                                                                               \
    FIELD_WHILE_CONNECTED(F, S)                                                                    \
    FIELD_TABLE(F, S)                                                                              \
    FIELD_DRY_RUN(F, S)

#define FIELDS_DEL_MFC(F, S)                                                                       \
    FIELD_SOURCE(F, S)                                                                             \
    F(S, group, group, REQUIRED, 0, 0, 0, "The group of the route, or its prefix of groups.")      \
    F(S, iif, interface, OPTIONAL, 0, 0, 0,                                                        \
      "Only the route with this inbound interface or pattern.")                                    \
    F(S, oifs, interfaces, OPTIONAL, 1, VIFS_MAX, 0,                                               \
      "Delete only these outgoing interfaces of the route. If none remains, the route is "         \
      "deleted.")                                                                                  \
    FIELD_TABLE(F, S)                                                                              \
    FIELD_DRY_RUN(F, S)

#define FIELDS_FLUSH_MFC(F, S)                                                                     \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)                                                                       \
    F(S, learned, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Only learned routes, whoever holds the routes that they were learned for.")                 \
    F(S, all, flag, OPTIONAL, 0, 0, 0,                                                             \
      "Also routes that other users or the configuration hold, and routes found in the "           \
      "kernel. For administrators.")                                                               \
    FIELD_DRY_RUN(F, S)

#define FIELDS_BEGIN_REPLACE(F, S)                                                                 \
    F(S, family, family, OPTIONAL, 0, 0, 0,                                                        \
      "Replace only routes of this address family; by default of both.")                           \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "Replace only routes of this multicast routing table; by default of all.")

#define FIELDS_COMMIT(F, S) FIELD_DRY_RUN(F, S)

#define FIELDS_ABORT(F, S)

#define FIELDS_SHOW_MFC(F, S)                                                                      \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "Only routes for this source, or for sources within this prefix; 0.0.0.0 or :: "             \
      "selects routes for any source.")                                                            \
    F(S, group, group, OPTIONAL, 0, 0, 0,                                                          \
      "Only routes for this group, or for groups "                                                 \
      "within this prefix.")                                                                       \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)

#define FIELDS_SHOW_VIF(F, S)                                                                      \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)

#define FIELDS_SHOW(F, S)

#define FIELDS_JOIN_KEY(F, S)                                                                      \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "Only this source, or the sources of a prefix (source-specific multicast). By "              \
      "default any source, which is 0.0.0.0 or ::.")                                               \
    F(S, group, group, REQUIRED, 0, 0, 0, "The multicast group, or a prefix of groups.")

#define FIELDS_ADD_JOIN(F, S)                                                                      \
    FIELDS_JOIN_KEY(F, S)                                                                          \
    F(S, iif, interface, REQUIRED, 0, 0, 0,                                                        \
      "The interface where the packets should arrive; IGMP or MLD announces the membership "       \
      "there.")                                                                                    \
    FIELD_WAIT(F, S)                                                                               \
    FIELD_WHILE_CONNECTED(F, S)                                                                    \
    FIELD_DRY_RUN(F, S)

#define FIELDS_DEL_JOIN(F, S)                                                                      \
    FIELDS_JOIN_KEY(F, S)                                                                          \
    F(S, iif, interface, REQUIRED, 0, 0, 0, "The interface of the join.")                          \
    FIELD_DRY_RUN(F, S)

#define FIELDS_SHOW_JOIN(F, S) FIELD_FAMILY_FILTER(F, S)

#define FIELDS_DIAGNOSE(F, S)                                                                      \
    F(S, source, address, OPTIONAL, 0, 0, 0, "The source address of the flow.")                    \
    F(S, group, address, OPTIONAL, 0, 0, 0, "The group of the flow.")                              \
    F(S, iif, interface, OPTIONAL, 0, 0, 0, "The interface where the packets should arrive.")      \
    F(S, observe, number, OPTIONAL, 0, OBSERVE_MS_MAX, OBSERVE_MS_DEFAULT,                         \
      "Count the packets of the flow for at most this many milliseconds, to see where they "       \
      "are lost. A slow flow needs more; 0 skips this.")                                           \
    FIELD_TABLE(F, S)

#define FIELDS_SUBSCRIBE(F, S)                                                                     \
    F(S, topics, topics, OPTIONAL, 1, TOPICS_MAX, 0,                                               \
      "The events to report: names such as mfc.added, or patterns such as mfc.*; by "              \
      "default all. A pattern that no event matches is an error.")

#define FIELDS_LEASES(F, S)

#define FIELDS_REVOKE(F, S)                                                                        \
    F(S, lease, word, ARGUMENT, 0, 0, 0, "The id of the lease, as 'netbroker leases' shows it.")

#define FIELDS_CHECK_POLICY(F, S)                                                                  \
    F(S, user, user, OPTIONAL, 0, 0, 0,                                                            \
      "The user to ask about; by default yourself. The "                                           \
      "command line takes a name or a number.")                                                    \
    F(S, verb, word, ARGUMENT, 0, 0, 0,                                                            \
      "The verb, such as mroute.write; "                                                           \
      "netbroker-policy(5) lists all verbs.")                                                      \
    F(S, interfaces, interfaces, OPTIONAL_ARGUMENT, 0, VIFS_MAX, 0,                                \
      "The interfaces of the request.")                                                            \
    F(S, group, group, OPTIONAL, 0, 0, 0, "The multicast group of the request.")                   \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "The multicast routing table of the request; by default all tables.")

#define FIELDS_STATUS(F, S)

#define FIELDS_METRICS(F, S)                                                                       \
    F(S, routes, flag, OPTIONAL, 0, 0, 0,                                                          \
      "Also print the counters of each route. This needs the verb mroute.read, too.")

#define FIELDS_PING(F, S)

#define FIELDS_DESCRIBE(F, S)                                                                      \
    F(S, name, word, OPTIONAL, 0, 0, 0, "Only this action; by default all.")

/* A(NAME, function, policy verb, command line, fds returned, documentation) */
#define ACTIONS(A)                                                                                 \
    A(ADD_MFC, add_mfc, "mroute.write", "mfc add", "",                                             \
      "Add a multicast route, or replace the route with the same source and group. If the "        \
      "source is any or a prefix, each inbound interface has its own route.")                      \
    A(DEL_MFC, del_mfc, "mroute.write", "mfc del", "",                                             \
      "Delete a multicast route, or some of its outgoing interfaces.")                             \
    A(FLUSH_MFC, flush_mfc, "mroute.write", "mfc flush", "",                                       \
      "Delete the multicast routes that you hold, like a replacement by an empty set. "            \
      "Routes that others hold as well stay.")                                                     \
    A(BEGIN_REPLACE, begin_replace, "mroute.write", "", "",                                        \
      "Begin a set that replaces the routes that you hold: each ADD_MFC of this connection "       \
      "is kept aside until COMMIT. If the connection ends, the set is discarded.")                 \
    A(COMMIT, commit, "mroute.write", "", "",                                                      \
      "Apply the set as a difference: routes that are not in the set are deleted, and "            \
      "routes that exist already are not touched. If a request of the set was refused, "           \
      "nothing is applied.")                                                                       \
    A(ABORT, abort, "mroute.write", "", "", "Discard the set; nothing is changed.")                \
    A(SHOW_MFC, show_mfc, "mroute.read", "mfc show", "",                                           \
      "List multicast routes with their state and counters.")                                      \
    A(SHOW_VIF, show_vif, "mroute.read", "vif show", "",                                           \
      "List the virtual interfaces (VIFs) that routes use, with their counters.")                  \
    A(SHOW, show, "mroute.read", "show", "",                                                       \
      "Show the interfaces and the routes of multicast routing.")                                  \
    A(ADD_JOIN, add_join, "join.write", "join add", "",                                            \
      "Join a multicast group on an interface, so that switches and routers send its "             \
      "packets there. Source and group may be prefixes, up to 4096 memberships.")                  \
    A(DEL_JOIN, del_join, "join.write", "join del", "",                                            \
      "Release a join. The group is left when the last lease of the join ends.")                   \
    A(SHOW_JOIN, show_join, "join.read", "join show", "", "List the joins with their state.")      \
    A(DIAGNOSE, diagnose, "mroute.read", "doctor", "",                                             \
      "Find out from the kernel's state why multicast packets are not forwarded. The "             \
      "command exits with 1 where a problem was found.")                                           \
    A(SUBSCRIBE, subscribe, "event.read", "watch", "", "Report events as they happen.")            \
    A(LEASES, leases, "lease.read", "leases", "",                                                  \
      "List all leases: who holds which route "                                                    \
      "or join, and since when.")                                                                  \
    A(REVOKE, revoke, "lease.revoke", "revoke", "", "Revoke a lease of any user.")                 \
    A(CHECK_POLICY, check_policy, "policy.read", "policy check", "",                               \
      "Show what the policy decides about a request, and by which rule. The command exits "        \
      "with 1 where it is not allowed.")                                                           \
    A(STATUS, status, "service.read", "status", "",                                                \
      "Show the state of the service: version, processes, privileges, counters.")                  \
    A(METRICS, metrics, "service.read", "metrics", "",                                             \
      "Print the counters of the service, the interfaces and the routes for Prometheus.")          \
    A(PING, ping, "service.read", "ping", "", "Check that the service answers.")                   \
    A(DESCRIBE, describe, "service.read", "describe", "",                                          \
      "Describe the requests as a JSON Schema (draft 2020-12).")

/* E(topic): the events, which SUBSCRIBE selects by patterns. A kind's own list says when. */
#define EVENT_TOPICS(E)                                                                            \
    E("mfc.added")                                                                                 \
    E("mfc.replaced")                                                                              \
    E("mfc.deleted")                                                                               \
    E("mfc.waiting")                                                                               \
    E("mfc.restored")                                                                              \
    E("mfc.learned")                                                                               \
    E("mfc.moved")                                                                                 \
    E("mfc.expired")                                                                               \
    E("mfc.no-route")                                                                              \
    E("mfc.wrong-interface")                                                                       \
    E("join.added")                                                                                \
    E("join.deleted")                                                                              \
    E("join.waiting")                                                                              \
    E("join.restored")                                                                             \
    E("lost")

/* --- What the rows become ------------------------------------------------------------------ */

enum action {
#define A(NAME, function, policy, cli, fds, documentation) ACTION_##NAME,
    ACTIONS(A)
#undef A
        ACTION_COUNT
};

#define T(type, c_type, metavariable) typedef c_type value_##type;
FIELD_TYPES(T)
#undef T

/* One struct an action, e.g. struct args_add_mfc: what a handler receives, valid as far as one
 * request can be judged by itself. */
#define F(S, name, type, need, low, high, fallback, documentation) value_##type name;
#define A(NAME, function, policy, cli, fds, documentation)                                         \
    struct args_##function {                                                                       \
        FIELDS_##NAME(F, )                                                                         \
    };
ACTIONS(A)
#undef A
#undef F

union args {
#define A(NAME, function, policy, cli, fds, documentation) struct args_##function function;
    ACTIONS(A)
#undef A
};

struct field {
    const char *name;
    enum field_type type;
    enum field_need need;
    size_t offset; /* in the action's args struct */
    uint32_t low; /* numbers, and the type `numbers`: smallest value; other lists: smallest count */
    uint32_t high; /* the same, largest */
    uint32_t fallback;
    const char *documentation;
};

struct action_row {
    const char *name;
    const char *policy; /* the verb that a policy rule names */
    const char *cli;    /* the words of the command, separated by one space */
    const char *fds;    /* the names of the descriptors in its reply, or "" */
    const char *documentation;
    const struct field *fields;
    size_t field_count;
};

/* Whether a request must have the field. */
bool field_is_required(const struct field *field);

/* The row of an action. */
const struct action_row *action_row(enum action action);

/* Finds an action by its exact name; ACTION_COUNT where there is none. */
enum action action_find(const char *name);

/* The field of this name, or NULL. */
const struct field *field_find(const struct action_row *row, const char *name);

/* The topic of this place in the list of events, NULL behind the last. */
const char *event_topic(size_t index);

/* How the command line calls a value of the type, e.g. "ADDRESS"; "" for a flag. */
const char *field_metavariable(enum field_type type);

/* Whether a value of the type is a list, written with commas where it is not JSON. */
bool field_is_list(enum field_type type);

#endif
