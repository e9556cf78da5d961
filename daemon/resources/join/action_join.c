/* The actions of group memberships: ADD_JOIN, DEL_JOIN, SHOW_JOIN. */
#include "broker/wire/pending.h"
#include "join.h"
#include "kind.h"

#include <stddef.h>
#include <stdlib.h>

/* --- Changing ------------------------------------------------------------------------------ */

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
    const struct join *join = joins_find(joins_of(call), key);

    return join && join_state(join) == JOIN_WAITING;
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

static const struct resource *find(const struct call *call, const struct join_key *key)
{
    const struct join *join = joins_find(joins_of(call), key);

    return join ? &join->resource : NULL;
}

static struct join_wish wish_of(const struct args_add_join *args)
{
    return (struct join_wish){
        .key = {args->source, args->group, args->iif},
        .wait = args->wait,
        .dry_run = args->dry_run,
    };
}

static enum outcome report_added(struct pending *pending)
{
    struct call *call = &pending->call;
    struct join_wish wish = wish_of(&call->request.args.add_join);

    reply_added(call, &wish, pending->change);
    return OUTCOME_REPLIED;
}

/* NULL: there is nothing to wait for, or no memory. */
static struct pending *wait_for_kernel(struct call *call, const struct join_key *key)
{
    struct pending *pending = pending_begin(call, report_added);

    if (!pending || joins_wait(joins_of(call), key, &pending->waiter))
        return pending;
    pending_withdraw(pending, call);
    return NULL;
}

/* The reply waits for the kernel. The join does not wait for the reply: it is there, and recorded,
 * even if its client has gone. */
enum outcome handle_add_join(struct call *call, const struct args_add_join *args)
{
    struct join_wish wish = wish_of(args);
    struct holder holder = call_holder(call, args->while_connected);
    struct pending *pending;
    enum join_change change;
    struct error error;
    bool is_new;

    if (!call_may_hold(call, find(call, &wish.key), &holder, &error) ||
        !joins_add(joins_of(call), &wish, &holder, &change, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    is_new = call_note_lease(call, find(call, &wish.key), &holder);
    record_grant(call);
    pending = args->dry_run ? NULL : wait_for_kernel(call, &wish.key);
    if (!pending) {
        reply_added(call, &wish, change);
        return OUTCOME_REPLIED;
    }
    pending->change = change;
    pending->lease_is_new = is_new;
    return OUTCOME_PENDING;
}

enum outcome handle_del_join(struct call *call, const struct args_del_join *args)
{
    struct join_key key = {args->source, args->group, args->iif};
    struct holder holder = call_releaser(call);
    struct error error;
    bool kept;

    if (joins_del(joins_of(call), &key, &holder, args->dry_run, &kept, &error))
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
    const struct join_key *key = &join->key;
    uint8_t family = key->group.address.family;
    struct prefix any = {.address = address_any(family)};
    const struct prefix *source = key->source.address.family ? &key->source : &any;
    const struct lease *first = resource_first_lease(&join->resource);
    char text[PREFIX_TEXT_MAX];

    json_open(json, '{');
    json_member_string(json, "source", prefix_format(source, text));
    json_member_string(json, "group", prefix_format(&key->group, text));
    json_member_string(json, "iif", key->iif.text);
    json_member_string(json, "family", family_name(family));
    json_member_string(json, "state", state_words[join_state(join)]);
    json_member_unsigned(json, "memberships", join->size);
    json_member_string(json, "origin", holder_kind_word(first ? first->kind : HOLDER_FOUND));
    json_member_unsigned(json, "owners", resource_lease_count(&join->resource));
    json_close(json, '}');
}

static bool write_next(void *cursor, struct json *out)
{
    const struct join *join;

    if (!join_cursor_look(cursor, &join))
        return false;
    if (join)
        write_join(out, join);
    return true;
}

static void close_cursor(void *cursor)
{
    join_cursor_close(cursor);
}

enum outcome handle_show_join(struct call *call, const struct args_show_join *args)
{
    static const struct reply_list list = {
        .key = "joins", .write_next = write_next, .close = close_cursor};
    struct join_cursor *cursor = malloc(sizeof *cursor);

    if (cursor)
        join_cursor_open(cursor, joins_of(call), args->family);
    reply_open(call, "Joined groups.");
    return reply_list(call, &list, cursor);
}

/* --- Events -------------------------------------------------------------------------------- */

static const char *const event_topics[] = {
#define J(name, topic) [JOIN_##name##_EVENT] = topic,
    JOIN_EVENTS(J)
#undef J
};

void publish_join(struct events *events, enum join_event event, const struct join *join)
{
    const struct resource *resource = &join->resource;
    struct target target;
    struct json payload = {.limit = OUT_MAX};

    if (!events_wanted(events, event_topics[event]))
        return;
    write_join(&payload, join);
    join_ops.get_target(resource, &target);
    events_publish(events, event_topics[event], &payload,
                   &(struct event_subject){join_ops.read_verb, &target, resource});
    json_clear(&payload);
}
