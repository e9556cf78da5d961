/* The actions of group memberships: ADD_JOIN, DEL_JOIN, SHOW_JOIN. */
#include "services.h"

#include <stddef.h>
#include <stdlib.h>

static struct join_key key_of(const struct prefix *source, const struct prefix *group,
                              const struct interface_name *iif)
{
    return (struct join_key){*source, *group, *iif};
}

/* --- Changing ------------------------------------------------------------------------------ */

struct deferred_join {
    struct deferral deferral; /* first: the session frees it */
    struct join_waiter waiter;
};

static void resume_join(struct join_waiter *waiter, const struct error *error)
{
    struct deferred_join *join =
        (struct deferred_join *)((char *)waiter - offsetof(struct deferred_join, waiter));

    session_resume(&join->deferral, error);
}

static void cancel_join(struct deferral *deferral)
{
    join_waiter_cancel(&((struct deferred_join *)deferral)->waiter);
}

/* The reply waits for the kernel. The join does not wait for the reply: it is there, and done even
 * if its client has gone. */
static bool defer_join(struct call *call, const struct join_key *key)
{
    struct deferred_join *join = calloc(1, sizeof *join);

    if (!join)
        return false;
    join->waiter.resume = resume_join;
    join->deferral.cancel = cancel_join;
    if (joins_wait(call->services->joins, key, &join->waiter)) {
        if (session_defer(&join->deferral, call))
            return true;
        join_waiter_cancel(&join->waiter);
    }
    free(join);
    return false;
}

static void reply_join(struct call *call, const struct join_key *key, const char *done,
                       const char *result)
{
    char text[JOIN_TEXT_MAX];
    struct json *out = reply_open(call, "Join of %s %s.", join_key_format(key, text), done);

    json_member_string(out, "result", result);
    reply_close(out);
}

static bool is_waiting(const struct call *call, const struct join_key *key)
{
    const struct join *join = joins_find(call->services->joins, key);
    struct join_view view;

    if (!join)
        return false;
    join_describe(join, &view);
    return view.state == JOIN_WAITING;
}

static void reply_added(struct call *call, const struct join_wish *wish, enum join_change change)
{
    bool added = change == JOIN_ADDED;
    const char *done;

    if (wish->dry_run)
        done = added ? "would be added" : "exists already, nothing would be done";
    else if (is_waiting(call, &wish->key))
        done = added ? "added; it waits for the interface"
                     : "exists already; it waits for the interface";
    else
        done = added ? "added" : "exists already; unchanged";
    reply_join(call, &wish->key, done, added ? "added" : "unchanged");
}

/* One more lease is one too many, unless the join is the user's already. */
static bool may_hold(const struct call *call, const struct join_key *key, const struct owner *owner,
                     struct error *error)
{
    const struct join *join;

    if (users_may_hold_lease(&call->services->users, call->peer->uid, call->lease_limit, error))
        return true;
    join = joins_find(call->services->joins, key);
    return join && join_hold(join, owner);
}

/* A user who has the join already keeps that lease: the audit names it, not the one prepared. */
static void note_lease(struct call *call, const struct join_key *key, const struct owner *owner)
{
    const struct join *join = joins_find(call->services->joins, key);
    const struct hold *hold = join ? join_hold(join, owner) : NULL;

    if (hold)
        call->lease = hold->lease;
}

enum outcome handle_add_join(struct call *call, const struct args_add_join *args)
{
    struct join_wish wish = {
        .key = key_of(&args->source, &args->group, &args->iif),
        .wait = args->wait,
        .dry_run = args->dry_run,
    };
    struct owner owner = owner_of(call, args->while_connected);
    enum join_change change;
    struct error error;

    if (!may_hold(call, &wish.key, &owner, &error) ||
        !joins_add(call->services->joins, &wish, &owner, &change, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    change = call_note_change(call, change);
    note_lease(call, &wish.key, &owner);
    if (!args->dry_run && defer_join(call, &wish.key))
        return OUTCOME_DEFERRED;
    reply_added(call, &wish, change);
    return OUTCOME_REPLIED;
}

enum outcome handle_del_join(struct call *call, const struct args_del_join *args)
{
    struct join_key key = key_of(&args->source, &args->group, &args->iif);
    struct owner owner = owner_of(call, false);
    struct error error;
    bool kept;

    owner.session = session_holds(call->session);
    if (joins_del(call->services->joins, &key, &owner, args->dry_run, &kept, &error))
        reply_join(call, &key,
                   kept && args->dry_run ? "would be released; others still hold it"
                   : kept                ? "released; others still hold it"
                   : args->dry_run       ? "would be deleted"
                                         : "deleted",
                   kept ? "kept" : "deleted");
    else
        reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Showing ------------------------------------------------------------------------------- */

static const char *const state_words[] = {
#define T(name, word) [JOIN_##name] = word,
    JOIN_STATES(T)
#undef T
};

static void write_join(struct json *json, const struct join *join)
{
    char text[PREFIX_TEXT_MAX];
    struct join_view view;

    join_describe(join, &view);

    uint8_t family = view.key->group.address.family;
    struct prefix any = {.address = address_any(family)};
    const struct prefix *source = view.key->source.address.family ? &view.key->source : &any;
    const struct hold *first = holding_first(view.holding);

    json_open(json, '{');
    json_member_string(json, "source", prefix_format(source, text));
    json_member_string(json, "group", prefix_format(&view.key->group, text));
    json_member_string(json, "iif", view.key->iif.text);
    json_member_string(json, "family", family_name(family));
    json_member_string(json, "state", state_words[view.state]);
    json_member_unsigned(json, "memberships", view.memberships);
    json_member_string(json, "origin", hold_kind_word(first ? first->kind : HOLD_FOUND));
    json_member_unsigned(json, "owners", holding_count(view.holding));
    json_close(json, '}');
}

/* A reply that lists joins, slice by slice. */
struct join_listing {
    struct producer producer;
    struct join_cursor cursor;
};

static bool list_more(struct producer *producer, struct json *out)
{
    struct join_listing *listing = (struct join_listing *)producer;
    const struct join *join;

    while (out->length < OUT_PAUSE) {
        join = join_cursor_next(&listing->cursor);
        if (!join) {
            json_close(out, ']');
            reply_close(out);
            return false;
        }
        write_join(out, join);
    }
    return true;
}

static void destroy_listing(struct producer *producer)
{
    struct join_listing *listing = (struct join_listing *)producer;

    join_cursor_close(&listing->cursor);
    free(listing);
}

enum outcome handle_show_join(struct call *call, const struct args_show_join *args)
{
    struct join_filter filter = {.family = args->family};
    struct json *out = reply_open(call, "Joined groups.");
    struct join_listing *listing = calloc(1, sizeof *listing);

    if (!listing) {
        out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    listing->producer = (struct producer){list_more, destroy_listing};
    join_cursor_open(&listing->cursor, call->services->joins, &filter);
    json_key(out, "joins");
    json_open(out, '[');
    if (list_more(&listing->producer, out))
        session_produce(call->session, &listing->producer);
    else
        destroy_listing(&listing->producer);
    return OUTCOME_REPLIED;
}

/* --- Events -------------------------------------------------------------------------------- */

static const char *const news_topics[] = {
#define J(name, topic) [JOIN_##name##_NEWS] = topic,
    JOIN_NEWS(J)
#undef J
};

void publish_join(struct services *services, enum join_news news, const struct join *join)
{
    struct json payload = {.limit = OUT_MAX};

    if (!events_wanted(&services->events, news_topics[news]))
        return;
    write_join(&payload, join);
    events_publish(&services->events, news_topics[news], &payload);
    json_clear(&payload);
}
