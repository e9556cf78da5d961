#include "identity.h"

#include <stdio.h>

/* From here on the peer is this user, by the number that the kernel told. */
static void assign(struct peer *peer, uid_t uid)
{
    peer->uid = uid;
    peer->assigned = uid != peer->kernel_uid;
}

static bool refuse(struct peer *peer, struct error *error)
{
    unsigned uid = (unsigned)peer->kernel_uid;

    assign(peer, UID_UNKNOWN);
    return error_set(error, ERROR_NOT_ALLOWED, NULL,
                     "Nobody knows the user %u: /etc/passwd does not have this number, and no "
                     "range of /etc/subuid has it. A rule with the line 'users = %u'%s, or with a "
                     "range of numbers, would make it a user; see netbroker-policy(5).",
                     uid, uid, peer->elsewhere ? " and 'netns = any'" : "");
}

static bool refuse_unmapped(struct peer *peer, struct error *error)
{
    assign(peer, UID_UNKNOWN);
    return error_set(error, ERROR_NOT_ALLOWED, NULL,
                     "Nobody knows which user you are: your user id has no number in the user "
                     "namespace of the service.");
}

/* A user who is not told apart by being here is told apart by a number. */
static bool settle_elsewhere(const struct policy *policy, struct peer *peer)
{
    if (peer->kernel_uid == 0)
        assign(peer, UID_ROOT_ELSEWHERE);
    else if (policy_is_administrator_uid(policy, peer->kernel_uid))
        assign(peer, UID_ADMINISTRATOR_ELSEWHERE);
    return peer->assigned;
}

static bool is_known(const struct identity *identity, const struct policy *policy, uid_t uid)
{
    return !identity->names || uid == 0 || user_exists_read(identity->names, uid) ||
           policy_is_administrator_uid(policy, uid);
}

static bool settle_subordinate(const struct identity *identity, const struct policy *policy,
                               struct peer *peer)
{
    const struct subuid_range *range;
    bool is_own;

    if (!identity->subuids)
        return false;
    range = subuids_find_read(identity->subuids, peer->kernel_uid);
    if (!range)
        return false;
    is_own =
        !range->has_owner || range->owner == 0 || policy_is_administrator_uid(policy, range->owner);
    peer->subordinate = true;
    assign(peer, is_own ? range->own : range->owner);
    return true;
}

static bool is_unmapped(const struct identity *identity, uid_t uid)
{
    return uid != 0 && uid == identity->place.unmapped_uid;
}

bool identity_settle_read(const struct identity *identity, const struct policy *policy,
                          struct peer *peer)
{
    uid_t uid = peer->kernel_uid;

    assign(peer, uid);
    peer->subordinate = peer->stranger = false;
    peer->elsewhere = peer->netns && identity->place.netns && peer->netns != identity->place.netns;
    if (is_unmapped(identity, uid))
        return false;
    if (peer->elsewhere && settle_elsewhere(policy, peer))
        return true;
    if (uid <= UID_LAST && is_known(identity, policy, uid))
        return true;
    return settle_subordinate(identity, policy, peer);
}

/* What there is to know of the user. */
static void read_files(const struct identity *identity, const struct policy *policy, uid_t uid)
{
    if (identity->names)
        user_names_update(identity->names);
    if (identity->subuids && !is_known(identity, policy, uid))
        subuids_update(identity->subuids);
}

static bool settle(const struct identity *identity, const struct policy *policy, struct peer *peer,
                   struct error *error)
{
    uid_t uid = peer->kernel_uid;

    if (uid != 0)
        read_files(identity, policy, uid);
    if (identity_settle_read(identity, policy, peer))
        return true;
    if (is_unmapped(identity, uid))
        return refuse_unmapped(peer, error);
    peer->stranger = true;
    return (uid <= UID_LAST && policy_names_uid(policy, uid)) || refuse(peer, error);
}

/* Without its groups a rule that denies would not hold for it. */
static bool refuse_groups(struct error *error)
{
    return error_set(error, ERROR_LIMIT, NULL,
                     "You are in more than %d groups, and each request would be held against all "
                     "of them. Connect from a process that is in fewer; see setgroups(2).",
                     PEER_GROUPS_MAX);
}

bool identity_settle(const struct identity *identity, const struct policy *policy,
                     struct peer *peer, struct error *error)
{
    return settle(identity, policy, peer, error) &&
           (!peer->in_too_many_groups || refuse_groups(error));
}

const char *peer_format(struct user_names *names, const struct peer *peer, char text[PEER_TEXT_MAX])
{
    char user[USER_TEXT_MAX], number[UID_TEXT_MAX + 16] = "";

    if (peer->uid == UID_UNKNOWN) /* who asks about somebody knows the number that he gave */
        snprintf(user, sizeof user, "%u", (unsigned)peer->kernel_uid);
    else
        user_format(names, peer->uid, user);
    if (peer->subordinate && peer->assigned)
        snprintf(number, sizeof number, ", by the uid %u,", (unsigned)peer->kernel_uid);
    snprintf(text, PEER_TEXT_MAX, "%s%s%s", user, number,
             peer->elsewhere ? " of another network namespace" : "");
    return text;
}
