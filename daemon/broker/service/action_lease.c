/* The actions on leases and on the policy: LEASES, REVOKE, CHECK_POLICY. */
#include "broker/wire/authorise.h"
#include "broker/wire/pending.h"
#include "broker/wire/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Who holds what ------------------------------------------------------------------------ */

static void write_lease(struct json *out, const struct lease *lease)
{
    char id[LEASE_ID_SIZE], since[LEASE_TIME_SIZE], what[RESOURCE_TEXT_MAX];

    lease->resource->ops->describe(lease->resource, what);
    json_open(out, '{');
    json_member_string(out, "lease", lease_id_format(lease->info.id, id));
    if (lease->info.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", lease->info.uid);
    json_member_string(out, "since", lease_time_format(lease->info.since, since));
    json_member_string(out, "origin", holder_kind_word(lease->kind));
    json_member_string(out, "kind", lease->resource->ops->kind);
    json_member_string(out, "what", what);
    json_close(out, '}');
}

/* Those on what the reader may not see are left out. */
struct listing {
    struct lease_cursor cursor;
    struct reader reader;
};

static bool write_next(void *cursor, struct json *out)
{
    struct listing *listing = cursor;
    const struct lease *lease = lease_cursor_next(&listing->cursor);

    if (lease && reader_may_see(&listing->reader, lease->resource))
        write_lease(out, lease);
    return lease != NULL;
}

static void close_cursor(void *cursor)
{
    lease_cursor_close(&((struct listing *)cursor)->cursor);
}

enum outcome handle_leases(struct call *call, const struct args_leases *args)
{
    static const struct reply_list list = {
        .key = "leases", .write_next = write_next, .close = close_cursor};
    struct listing *listing = malloc(sizeof *listing);

    (void)args;
    if (listing) {
        listing->reader = call_reader(call);
        lease_cursor_open(&listing->cursor, &call->services->leases);
    }
    reply_open(call, "Leases.");
    return reply_list(call, &list, listing);
}

enum outcome handle_revoke(struct call *call, const struct args_revoke *args)
{
    struct lease *lease;
    struct error error;
    uint64_t id;

    if (!lease_id_parse(args->lease.text, &id))
        error_set(&error, ERROR_OUT_OF_RANGE, "lease",
                  "Invalid argument: 'lease' takes an id of 12 hexadecimal digits, as 'netbroker "
                  "leases' shows it.");
    else if (!(lease = leases_find(&call->services->leases, id)))
        error_set(&error, ERROR_NOT_FOUND, "lease",
                  "There is no lease %s; 'netbroker leases' lists them.", args->lease.text);
    else {
        lease_end(&call->services->leases, lease);
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
        .kernel_uid = user->uid,
        .gid = user->gid_count ? user->gids[0] : (gid_t)-1,
        .groups = groups,
        .group_count = user->gid_count,
    };
}

/* The user that is asked about, as if it connected here, or elsewhere. False: it could not. */
static bool settle_peer(const struct call *call, const struct args_check_policy *args,
                        struct peer *peer)
{
    const struct identity *identity = &call->services->identity;
    struct error ignored;

    if (!args->user.given && !args->elsewhere)
        return true;
    /* Any number but that of the service is another namespace. */
    peer->netns = identity->place.netns + args->elsewhere;
    return identity_settle(identity, &call->services->policy, peer, &ignored);
}

static const char *explain(const struct policy *policy, const struct decision *decision,
                           const struct peer *peer, char *text, size_t size)
{
    if (policy->closed)
        snprintf(text, size, "the policy has mistakes, so only root is allowed anything");
    else if (peer->uid == UID_UNKNOWN)
        snprintf(text, size, "nobody knows this user, and no rule names the number");
    else if (decision->rule)
        snprintf(text, size, "the rule '%s %s' decides", decision->rule->deny ? "deny" : "allow",
                 decision->rule->name);
    else
        snprintf(text, size, "%s",
                 decision->allowed ? "the user is an administrator, and no rule denies it"
                 : peer->elsewhere ? "no rule with 'netns = any' allows it"
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
    char why[120], what[AUDIT_TARGET_MAX], user[PEER_TEXT_MAX];
    struct decision decision = {.allowed = false};
    struct target target;
    struct peer peer;
    struct json *out;

    if (!is_verb(args->verb.text))
        return refuse_verb(call, args->verb.text);
    target_of(call, &target);
    fill_peer(&args->user, call->peer, groups, &peer);
    if (settle_peer(call, args, &peer))
        decision = policy_decide(&call->services->policy, &peer, args->verb.text, &target);
    target_format(&target, what, sizeof what);
    out = reply_open(call, "User %s %s %s on %s: %s.",
                     peer_format(call->services->names, &peer, user),
                     decision.allowed ? "may do" : "may not do", args->verb.text, what,
                     explain(&call->services->policy, &decision, &peer, why, sizeof why));
    json_member_bool(out, "allowed", decision.allowed);
    json_member_string(out, "rule", decision.rule ? decision.rule->name : "");
    json_member_string(out, "reason", why);
    reply_close(out);
    return OUTCOME_REPLIED;
}
