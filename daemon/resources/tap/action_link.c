/* The actions of relays on taps: TELL_LINK and SHOW_LINK, and the events that tell of them. */
#include "kind.h"

#include <stdlib.h>

/* --- Telling ------------------------------------------------------------------------------- */

/* Only who has the tap: what others would say of it is nobody's word. */
static struct tap *find_own_tap(const struct call *call, const char *name)
{
    struct tap *tap = taps_find_tap(taps_of(call), name);
    uid_t uid = call->peer->uid;
    bool is_own = tap && tap->state != TAP_CLOSING && uid != LEASE_UID_UNKNOWN &&
                  resource_has_user(&tap->resource, uid);

    return is_own ? tap : NULL;
}

enum outcome handle_tell_link(struct call *call, const struct args_tell_link *args)
{
    struct tap *tap = find_own_tap(call, args->tap.text);
    struct error error;

    if (!tap)
        error_set(&error, ERROR_NOT_FOUND, "tap",
                  "You have no tap '%s'. A relay tells of a tap whose lease is its user's.",
                  args->tap.text);
    if (tap && told_take(tap, args, &error))
        reply_success(call, "Told.");
    else
        reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- What was told ------------------------------------------------------------------------- */

static void write_since(struct json *out, uint64_t since_ms)
{
    char text[LEASE_TIME_SIZE];

    if (since_ms)
        json_member_string(out, "since", lease_time_format((int64_t)(since_ms / 1000), text));
}

static void write_peer(struct json *out, const struct args_tell_link *said)
{
    if (!said->pid)
        return;
    json_member_unsigned(out, "pid", said->pid);
    json_member_unsigned(out, "uid", said->uid);
}

/* `told_by` says whose word it is. */
static void write_members(struct json *out, const struct told *told)
{
    const struct args_tell_link *said = &told->said;

    json_member_string(out, "tap", told->tap->config.name);
    json_member_unsigned(out, "port", said->port);
    json_member_unsigned(out, "told_by", told->tap->uid);
    json_member_string(out, "name", said->name.text);
    json_member_string(out, "framing", said->framing.text);
    write_peer(out, said);
    write_since(out, said->since);
    for (unsigned i = 0; i < TOLD_COUNTERS; i++)
        json_member_unsigned(out, told_counters[i].key, told_value(said, i));
}

static const char *const event_topics[] = {
#define V(name, topic) [LINK_##name##_EVENT] = topic,
    LINK_EVENTS(V)
#undef V
};

void publish_link(struct events *events, enum link_event event, const struct told *told,
                  const char *why)
{
    struct json payload = {.limit = OUT_MAX};
    const struct resource *resource = &told->tap->resource;
    struct target target;

    if (!events || !events_wanted(events, event_topics[event]))
        return;
    json_open(&payload, '{');
    write_members(&payload, told);
    if (event == LINK_DROPPED_EVENT)
        json_member_unsigned(&payload, "lost", told->lost);
    if (why[0])
        json_member_string(&payload, "why", why);
    json_close(&payload, '}');
    tap_ops.get_target(resource, &target);
    events_publish(events, event_topics[event], &payload,
                   &(struct event_subject){tap_ops.read_verb, &target, resource});
    json_clear(&payload);
}

struct listing {
    struct told_cursor cursor;
    struct reader reader;
};

static bool write_next(void *cursor, struct json *out)
{
    struct listing *listing = cursor;
    const struct told *told = told_cursor_next(&listing->cursor);

    if (!told || !reader_may_see(&listing->reader, &told->tap->resource))
        return told != NULL;
    json_open(out, '{');
    write_members(out, told);
    json_close(out, '}');
    return true;
}

static void close_cursor(void *cursor)
{
    told_cursor_close(&((struct listing *)cursor)->cursor);
}

enum outcome handle_show_link(struct call *call, const struct args_show_link *args)
{
    static const struct reply_list list = {
        .key = "links", .write_next = write_next, .close = close_cursor};
    struct listing *listing = malloc(sizeof *listing);

    (void)args;
    if (listing) {
        listing->reader = call_reader(call);
        told_cursor_open(&listing->cursor, &taps_of(call)->links);
    }
    reply_open(call, "Links.");
    return reply_list(call, &list, listing);
}
