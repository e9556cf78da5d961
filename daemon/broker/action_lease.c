/* The actions on leases and on the policy: LEASES, REVOKE, CHECK_POLICY. */
#include "authorise.h"
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Who holds what ------------------------------------------------------------------------ */

struct owner owner_of(const struct call *call, bool while_connected)
{
    struct owner owner = {
        .kind = while_connected ? HOLD_SESSION : HOLD_USER,
        .lease = call->lease,
        .session = while_connected ? session_holds(call->session) : NULL,
        .administrator = users_is_administrator(&call->services->users, call->peer->uid),
    };

    owner.lease.uid = call->peer->uid; /* also of those who ask for no lease */
    return owner;
}

void write_hold(struct json *out, const struct hold *hold, const char *kind, const char *what)
{
    time_t since = (time_t)hold->lease.since;
    char id[LEASE_ID_SIZE], text[32];
    struct tm date;

    gmtime_r(&since, &date);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
    json_open(out, '{');
    json_member_string(out, "lease", lease_id_format(hold->lease.id, id));
    if (hold->lease.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", hold->lease.uid);
    json_member_string(out, "since", text);
    json_member_string(out, "origin", hold_kind_word(hold->kind));
    json_member_string(out, "kind", kind);
    json_member_string(out, "what", what);
    json_close(out, '}');
}

static void write_lease(struct json *out, const struct route *route)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX], what[192];
    const struct hold *hold;
    struct route_view view;

    route_describe(route, false, &view);
    snprintf(what, sizeof what, "(%s, %s) from %s in table %u", prefix_format(&view.source, source),
             prefix_format(&view.group, group), view.iif, view.table);
    LIST_FOREACH (hold, &view.holding->holds, in_holding)
        write_hold(out, hold, "mfc", what);
}

static void write_join_leases(struct json *out, const struct join *join)
{
    char what[JOIN_TEXT_MAX];
    const struct hold *hold;
    struct join_view view;

    join_describe(join, &view);
    join_key_format(view.key, what);
    LIST_FOREACH (hold, &view.holding->holds, in_holding)
        write_hold(out, hold, "join", what);
}

/* All leases, slice by slice: those on routes, then those on joins. */
struct lease_listing {
    struct producer producer;
    struct route_cursor routes;
    struct join_cursor joins;
};

static bool list_more(struct producer *producer, struct json *out)
{
    struct lease_listing *listing = (struct lease_listing *)producer;

    while (out->length < OUT_PAUSE) {
        const struct route *route = route_cursor_next(&listing->routes);
        const struct join *join = route ? NULL : join_cursor_next(&listing->joins);

        if (!route && !join) {
            json_close(out, ']');
            reply_close(out);
            return false;
        }
        if (route)
            write_lease(out, route);
        else
            write_join_leases(out, join);
    }
    return true;
}

static void destroy_listing(struct producer *producer)
{
    struct lease_listing *listing = (struct lease_listing *)producer;

    route_cursor_close(&listing->routes);
    join_cursor_close(&listing->joins);
    free(listing);
}

enum outcome handle_leases(struct call *call, const struct args_leases *args)
{
    struct mroute_filter all_routes = {0};
    struct join_filter all_joins = {0};
    struct lease_listing *listing = calloc(1, sizeof *listing);
    struct json *out = reply_open(call, "Leases.");

    (void)args;
    if (!listing) {
        out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    listing->producer = (struct producer){list_more, destroy_listing};
    route_cursor_open(&listing->routes, call->services->mroute, &all_routes);
    join_cursor_open(&listing->joins, call->services->joins, &all_joins);
    json_key(out, "leases");
    json_open(out, '[');
    if (list_more(&listing->producer, out))
        session_produce(call->session, &listing->producer);
    else
        destroy_listing(&listing->producer);
    return OUTCOME_REPLIED;
}

enum outcome handle_revoke(struct call *call, const struct args_revoke *args)
{
    struct error error;
    uint64_t lease;

    if (!lease_id_parse(args->lease.text, &lease))
        error_set(&error, ERROR_OUT_OF_RANGE, "lease",
                  "Invalid argument: 'lease' takes an id of 12 hexadecimal digits, as 'netbroker "
                  "leases' shows it.");
    else if (!mroute_revoke(call->services->mroute, lease) &&
             !joins_revoke(call->services->joins, lease))
        error_set(&error, ERROR_NOT_FOUND, "lease",
                  "There is no lease %s; 'netbroker leases' lists them.", args->lease.text);
    else {
        reply_success(call, "Lease %s revoked.", args->lease.text);
        return OUTCOME_REPLIED;
    }
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- What the policy says ------------------------------------------------------------------ */

static void fill_peer(const struct user *user, const struct peer *self, gid_t *groups,
                      struct peer *ret)
{
    *ret = *self;
    if (!user->given)
        return;
    for (uint32_t i = 0; i < user->gid_count; i++)
        groups[i] = user->gids[i];
    *ret = (struct peer){
        .uid = user->uid,
        .gid = user->gid_count ? user->gids[0] : (gid_t)-1,
        .groups = groups,
        .group_count = user->gid_count,
    };
}

static const char *explain(const struct policy *policy, const struct decision *decision, char *text,
                           size_t size)
{
    if (policy->closed)
        snprintf(text, size, "the policy has mistakes, so only root is allowed anything");
    else if (decision->rule)
        snprintf(text, size, "the rule '%s %s' decides", decision->rule->deny ? "deny" : "allow",
                 decision->rule->name);
    else
        snprintf(text, size, "%s",
                 decision->allowed ? "the user is an administrator, and no rule denies it"
                                   : "no rule allows it");
    return text;
}

static bool is_verb(const char *verb)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (strcmp(action_row(action)->policy, verb) == 0)
            return true;
    return false;
}

static enum outcome refuse_verb(struct call *call, const char *verb)
{
    struct error error;

    error_set(&error, ERROR_NOT_FOUND, "verb",
              "Invalid argument: there is no verb '%s'; netbroker-policy(5) names them, such as "
              "mroute.write.",
              verb);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome handle_check_policy(struct call *call, const struct args_check_policy *args)
{
    gid_t groups[USER_GROUPS_MAX];
    char why[120], what[AUDIT_TARGET_MAX], user[USER_TEXT_MAX];
    struct target target;
    struct peer peer;
    struct decision decision;
    struct json *out;

    if (!is_verb(args->verb.text))
        return refuse_verb(call, args->verb.text);
    target_of(call, &target);
    fill_peer(&args->user, call->peer, groups, &peer);
    decision = policy_decide(&call->services->policy, &peer, args->verb.text, &target);
    target_format(&target, what, sizeof what);
    out = reply_open(call, "User %s %s %s on %s: %s.",
                     user_format(call->services->names, peer.uid, user),
                     decision.allowed ? "may do" : "may not do", args->verb.text, what,
                     explain(&call->services->policy, &decision, why, sizeof why));
    json_member_bool(out, "allowed", decision.allowed);
    json_member_string(out, "rule", decision.rule ? decision.rule->name : "");
    json_member_string(out, "reason", why);
    reply_close(out);
    return OUTCOME_REPLIED;
}
