/* The actions on leases and on the policy: LEASES, REVOKE, CHECK_POLICY. */
#include "authorise.h"
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Who holds what ------------------------------------------------------------------------ */

void count_owner(struct services *services, uid_t was, uid_t is)
{
    if (was != LEASE_UID_UNKNOWN)
        users_release_lease(&services->users, was);
    if (is != LEASE_UID_UNKNOWN)
        users_hold_lease(&services->users, is);
}

static void write_lease(struct json *out, const struct route *route)
{
    char source[ADDRESS_TEXT_MAX], group[ADDRESS_TEXT_MAX], id[LEASE_ID_SIZE], text[160];
    struct route_view view;
    struct tm date;
    time_t since;

    route_describe(route, false, &view);
    since = (time_t)view.lease.since;
    gmtime_r(&since, &date);
    json_open(out, '{');
    json_member_string(out, "lease", lease_id_format(view.lease.id, id));
    if (view.lease.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", view.lease.uid);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
    json_member_string(out, "since", text);
    json_member_string(out, "kind", "mfc");
    snprintf(text, sizeof text, "(%s, %s) from %s in table %u",
             address_format(&view.source, source), address_format(&view.group, group), view.iif,
             view.table);
    json_member_string(out, "what", text);
    json_close(out, '}');
}

enum outcome handle_leases(struct call *call, const struct args_leases *args)
{
    struct mroute_filter everything = {0};

    (void)args;
    reply_routes(call, reply_open(call, "Leases."), "leases", &everything, write_lease);
    return OUTCOME_REPLIED;
}

enum outcome handle_revoke(struct call *call, const struct args_revoke *args)
{
    struct mroute_filter filter = {0};
    struct error error;

    if (!lease_id_parse(args->lease.text, &filter.lease))
        error_set(&error, ERROR_OUT_OF_RANGE, "lease",
                  "Invalid argument: 'lease' takes an id of 12 hexadecimal digits, as 'netbroker "
                  "leases' shows it.");
    else if (mroute_flush(call->services->mroute, &filter, false) == 0)
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

static const char *explain(const struct decision *decision, char *text, size_t size)
{
    if (decision->rule)
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
    char why[120], what[AUDIT_TARGET_MAX];
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
    out = reply_open(call, "User %u %s %s on %s: %s.", (unsigned)peer.uid,
                     decision.allowed ? "may do" : "may not do", args->verb.text, what,
                     explain(&decision, why, sizeof why));
    json_member_bool(out, "allowed", decision.allowed);
    json_member_string(out, "rule", decision.rule ? decision.rule->name : "");
    json_member_string(out, "reason", why);
    reply_close(out);
    return OUTCOME_REPLIED;
}
