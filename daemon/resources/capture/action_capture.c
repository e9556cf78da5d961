/* The actions of captures: OPEN_CAPTURE, CLOSE_CAPTURE, SHOW_CAPTURE. */
#include "broker/wire/pending.h"
#include "decode.h"
#include "kind.h"

#include <stdio.h>
#include <stdlib.h>

static enum outcome refuse(struct call *call, const struct error *error)
{
    reply_error(call, error);
    return OUTCOME_REPLIED;
}

/* --- What is told of a capture ------------------------------------------------------------- */

static const char *const state_words[] = {
#define T(name, word) [CAPTURE_##name] = word,
    CAPTURE_STATES(T)
#undef T
};

void write_capture_config(struct json *out, const struct capture_config *config)
{
    const struct packets_config *packets = &config->packets;

    json_member_string(out, "interface", config->interface);
    if (packets->ethertypes.count > 0)
        json_member_ethertypes(out, "ethertypes", packets->ethertypes.types,
                               packets->ethertypes.count);
    json_member_string(out, "direction", direction_word((uint8_t)packets->directions));
    json_member_bool(out, "promiscuous", packets->promiscuous != 0);
    json_member_unsigned(out, "snaplen", config->snaplen);
    json_member_unsigned(out, "buffer", config->size);
    json_member_unsigned(out, "latency", packets->latency);
    json_member_string(out, "timestamps", timestamps_word((uint8_t)packets->timestamps));
}

static uint64_t look(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void write_capture(struct json *out, const struct capture *capture)
{
    const struct lease *lease = resource_first_lease(&capture->resource);

    json_open(out, '{');
    json_member_unsigned(out, "capture", capture->number);
    write_capture_config(out, &capture->config);
    json_member_string(out, "state", state_words[capture->state]);
    json_member_unsigned(out, "frames", look(&capture->reader->frames));
    json_member_unsigned(out, "bytes", look(&capture->reader->bytes));
    json_member_unsigned(out, "lost", look(&capture->reader->lost));
    json_member_unsigned(out, "kernel_dropped", look(&capture->reader->kernel_dropped));
    json_member_unsigned(out, "iface_dropped", look(&capture->reader->iface_dropped));
    if (lease && lease->info.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", lease->info.uid);
    json_close(out, '}');
}

static const char *const event_topics[] = {
#define V(name, topic) [CAPTURE_##name##_EVENT] = topic,
    CAPTURE_EVENTS(V)
#undef V
};

void publish_capture(struct events *events, enum capture_event event, const struct capture *capture)
{
    struct json payload = {.limit = OUT_MAX};
    struct target target;

    if (!events || !events_wanted(events, event_topics[event]))
        return;
    write_capture(&payload, capture);
    capture_ops.get_target(&capture->resource, &target);
    events_publish(events, event_topics[event], &payload,
                   &(struct event_subject){capture_ops.read_verb, &target, &capture->resource});
    json_clear(&payload);
}

/* --- Opening ------------------------------------------------------------------------------- */

static const char *const fd_names[SHARED_RING_FDS] = {"ring", "page", "bell"};

static void reply_capture(struct call *call, const char *done, const struct capture_config *config,
                          const struct capture *capture)
{
    struct json *out = reply_open(call, "The capture of %s %s.", config->interface, done);
    char lease[LEASE_ID_SIZE];

    write_capture_config(out, config);
    if (capture) {
        json_member_unsigned(out, "ifindex", config->packets.ifindex);
        json_member_unsigned(out, "capture", capture->number);
        json_member_string(out, "lease", lease_id_format(call->lease.id, lease));
    }
    reply_close(out);
}

static enum outcome reply_opened(struct call *call, struct capture *capture)
{
    for (unsigned i = 0; i < SHARED_RING_FDS; i++)
        reply_fd(call, fd_names[i], capture_take_fd(capture, i));
    reply_capture(call, "is open", &capture->config, capture);
    return OUTCOME_REPLIED;
}

/* Its lease ends before it does, and the wait with that. */
static enum outcome reply_waited(struct pending *pending)
{
    return reply_opened(&pending->call, pending->context);
}

/* The lease is written down before there is anything that it is on. */
static enum outcome open_now(struct call *call, struct capture *capture)
{
    struct pending *pending = pending_begin(call, reply_waited);
    struct leases *leases = capture->captures->host.leases;
    struct error error;

    if (!pending) {
        error_set(&error, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for a request that waits for the keeper.");
        capture_abandon(capture);
        return refuse(call, &error);
    }
    pending->context = capture;
    pending->lease_is_new = true;
    waiters_add(&capture->waiters, &pending->waiter);
    leases_commit(leases, leases->transaction);
    if (!capture_begin(capture, &error)) {
        pending_withdraw(pending, call);
        capture_abandon(capture);
        return refuse(call, &error);
    }
    if (capture->state == CAPTURE_OPENING)
        return OUTCOME_PENDING;
    pending_withdraw(pending, call);
    return reply_opened(call, capture);
}

enum outcome handle_open_capture(struct call *call, const struct args_open_capture *args)
{
    struct captures *captures = captures_of(call);
    struct holder holder = call_holder(call, true);
    struct capture_config config;
    struct capture *capture;
    struct error error;

    if (!captures_judge(captures, args, &config, &error) ||
        !captures_have_room(captures, &config, call->peer->uid, &error) ||
        !call_may_hold(call, NULL, &holder, &error))
        return refuse(call, &error);
    if (args->dry_run) {
        reply_capture(call, "would be opened", &config, NULL);
        return OUTCOME_REPLIED;
    }
    capture = captures_add(captures, &config, &args->filter, &holder, &error);
    if (!capture)
        return refuse(call, &error);
    call_note_lease(call, &capture->resource, &holder);
    record_grant(call);
    return open_now(call, capture);
}

/* --- Closing and showing ------------------------------------------------------------------- */

struct capture *find_capture(const struct captures *captures, uint32_t number, struct error *error)
{
    struct capture *capture = captures_find(captures, number);

    if (!capture)
        error_set(error, ERROR_NOT_FOUND, "capture",
                  "Invalid argument: there is no capture %u. 'netbroker capture list' lists them.",
                  (unsigned)number);
    return capture;
}

enum outcome handle_close_capture(struct call *call, const struct args_close_capture *args)
{
    struct captures *captures = captures_of(call);
    struct capture *capture;
    struct holder holder = call_releaser(call);
    struct error error;

    capture = find_capture(captures, args->capture, &error);
    if (!capture || !resource_may_give_up(&capture->resource, &holder, &error))
        return refuse(call, &error);
    if (!args->dry_run)
        capture->end = RING_END_CLOSED;
    resource_give_up(captures->host.leases, &capture->resource, &holder, args->dry_run);
    reply_success(call, "The capture %u %sended.", (unsigned)args->capture,
                  args->dry_run ? "would be " : "is ");
    return OUTCOME_REPLIED;
}

/* The one behind the last one that was looked at. */
struct cursor {
    const struct captures *captures;
    struct reader reader;
    uint32_t number;
};

static bool write_next(void *context, struct json *out)
{
    struct cursor *cursor = context;
    const struct capture *capture = captures_next(cursor->captures, cursor->number);

    if (!capture)
        return false;
    cursor->number = capture->number;
    if (reader_may_see(&cursor->reader, &capture->resource))
        write_capture(out, capture);
    return true;
}

enum outcome handle_show_capture(struct call *call, const struct args_show_capture *args)
{
    static const struct reply_list list = {.key = "captures", .write_next = write_next};
    struct cursor *cursor = malloc(sizeof *cursor);

    (void)args;
    if (cursor)
        *cursor = (struct cursor){captures_of(call), call_reader(call), 0};
    reply_open(call, "Captures.");
    return reply_list(call, &list, cursor);
}
