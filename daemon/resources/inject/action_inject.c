/* The actions of injectors: OPEN_INJECT, CLOSE_INJECT, SHOW_INJECT. */
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

/* --- What is told of an injector ------------------------------------------------------------- */

static const char *const state_words[] = {
#define T(name, word) [INJECT_##name] = word,
    INJECT_STATES(T)
#undef T
};

static void write_scope(struct json *out, const struct send_scope *scope)
{
    char text[SCOPE_MAC_TEXT + 1];

    for (enum scope_part part = 0; part < SCOPE_PART_COUNT; part++) {
        if (scope_items(scope, part) == 0)
            continue;
        json_key(out, scope_word(part));
        json_open(out, '[');
        for (unsigned i = 0; i < scope_items(scope, part); i++) {
            scope_text(scope, part, i, text);
            json_string(out, text);
        }
        json_close(out, ']');
    }
}

void write_injector_config(struct json *out, const struct injector_config *config)
{
    json_member_string(out, "interface", config->interface);
    if (config->ethertypes.count > 0)
        json_member_ethertypes(out, "ethertypes", config->ethertypes.types,
                               config->ethertypes.count);
    write_scope(out, &config->scope);
    json_member_unsigned(out, "rate", config->rate);
    json_member_unsigned(out, "buffer", config->size);
    if (!config->timed)
        return;
    json_member_bool(out, "timed", true);
    json_member_unsigned(out, "late", config->late);
    if (config->start > 0)
        json_member_unsigned(out, "start", config->start);
    if (!config->template)
        return;
    json_member_bool(out, "template", true);
    json_member_unsigned(out, "tables", config->tables);
}

static uint64_t look(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* How many frames were refused, by reason; only reasons that there were. */
static void write_refused(struct json *out, const struct outlet *outlet)
{
    json_key(out, "refused");
    json_open(out, '{');
    for (unsigned i = TRANSMIT_SENT + 1; i < TRANSMIT_REASON_COUNT; i++)
        if (look(&outlet->refused[i]) > 0)
            json_member_unsigned(out, transmit_refusal_word((enum transmit_refusal_reason)i),
                                 look(&outlet->refused[i]));
    json_close(out, '}');
}

static bool is_locked(const struct outlet *outlet)
{
    return outlet->template ? outlet->template->is_locked : outlet->timed->queue.is_locked;
}

/* How late frames with a time were, and what the thread that sends them was granted. */
static void write_timing(struct json *out, const struct injector *injector)
{
    const struct timed_thread *thread = &injector->injectors->timed;
    const struct outlet *outlet = injector->outlet;
    struct transmit_timing timing;

    if (injector->state != INJECT_OPEN || !injector->config.timed) /* before, a thread makes it */
        return;
    transmit_reader_timing(&outlet->reader, &timing);
    json_key(out, "timing");
    json_open(out, '{');
    json_member_unsigned(out, "started", timing.started / 1000000);
    json_member_unsigned(out, "late", timing.late);
    json_member_unsigned(out, "p50_ns", transmit_timing_quantile(&timing, 500000));
    json_member_unsigned(out, "p99_ns", transmit_timing_quantile(&timing, 990000));
    json_member_unsigned(out, "latest_ns", timing.latest);
    json_member_unsigned(out, "stalls", timing.stalls);
    json_member_unsigned(out, "stalled_ns", timing.stalled_ns);
    json_member_bool(out, "realtime", timed_thread_hurries(thread));
    json_member_bool(out, "locked", timed_thread_is_locked(thread) && is_locked(outlet));
    json_close(out, '}');
}

/* A stream that the service makes: how far it is. */
static void write_stream(struct json *out, const struct injector *injector)
{
    const struct outlet *outlet = injector->outlet;
    struct stream_progress progress;
    struct template_view view;

    if (injector->state != INJECT_OPEN || !outlet->template)
        return;
    template_ring_show(outlet->template, &view);
    if (view.rate == 0)
        return;
    transmit_reader_stream(&outlet->reader, &progress);
    json_key(out, "stream");
    json_open(out, '{');
    json_member_string(out, "svID", view.name);
    json_member_unsigned(out, "samples_per_second", view.rate);
    json_member_unsigned(out, "asdus", view.asdus);
    json_member_unsigned(out, "smpSynch", view.synch);
    json_member_unsigned(out, "next", progress.next);
    json_member_unsigned(out, "queued", view.put - progress.played);
    json_member_unsigned(out, "starved", progress.starved);
    json_member_unsigned(out, "dropped", progress.dropped);
    json_close(out, '}');
}

static void write_injector(struct json *out, const struct injector *injector)
{
    const struct lease *lease = resource_first_lease(&injector->resource);

    json_open(out, '{');
    json_member_unsigned(out, "inject", injector->number);
    write_injector_config(out, &injector->config);
    json_member_string(out, "state", state_words[injector->state]);
    json_member_unsigned(out, "sent", outlet_sent(injector->outlet));
    json_member_unsigned(out, "bytes", look(&injector->outlet->sent_bytes));
    json_member_unsigned(out, "refused_frames", outlet_refused(injector->outlet));
    write_refused(out, injector->outlet);
    write_timing(out, injector);
    write_stream(out, injector);
    if (lease && lease->info.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", lease->info.uid);
    json_close(out, '}');
}

static const char *const event_topics[] = {
#define V(name, topic) [INJECT_##name##_EVENT] = topic,
    INJECT_EVENTS(V)
#undef V
};

void publish_injector(struct events *events, enum injector_event event,
                      const struct injector *injector)
{
    struct json payload = {.limit = OUT_MAX};
    struct target target;

    if (!events || !events_wanted(events, event_topics[event]))
        return;
    write_injector(&payload, injector);
    inject_ops.get_target(&injector->resource, &target);
    events_publish(events, event_topics[event], &payload,
                   &(struct event_subject){inject_ops.read_verb, &target, &injector->resource});
    json_clear(&payload);
}

/* --- Opening ------------------------------------------------------------------------------- */

static const char *const fd_names[INJECT_RING_FDS] = {"ring", "page", "bell", "room"};

static void reply_injector(struct call *call, const char *done,
                           const struct injector_config *config, const struct injector *injector)
{
    struct json *out = reply_open(call, "The injector of %s %s.", config->interface, done);
    char lease[LEASE_ID_SIZE];

    write_injector_config(out, config);
    if (injector) {
        json_member_unsigned(out, "ifindex", config->ifindex);
        json_member_unsigned(out, "inject", injector->number);
        json_member_string(out, "lease", lease_id_format(call->lease.id, lease));
    }
    reply_close(out);
}

static enum outcome reply_opened(struct call *call, struct injector *injector)
{
    for (unsigned i = 0; i < INJECT_RING_FDS; i++)
        reply_fd(call, fd_names[i], injector_take_fd(injector, i));
    reply_injector(call, "is open", &injector->config, injector);
    return OUTCOME_REPLIED;
}

/* Its lease ends before it does, and the wait with that. */
static enum outcome reply_waited(struct pending *pending)
{
    return reply_opened(&pending->call, pending->context);
}

/* The lease is written down before there is anything that it is on. */
static enum outcome open_now(struct call *call, struct injector *injector)
{
    struct pending *pending = pending_begin(call, reply_waited);
    struct leases *leases = injector->injectors->host.leases;
    struct error error;

    if (!pending) {
        error_set(&error, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for a request that waits for the keeper.");
        injector_abandon(injector);
        return refuse(call, &error);
    }
    pending->context = injector;
    pending->lease_is_new = true;
    waiters_add(&injector->waiters, &pending->waiter);
    leases_commit(leases, leases->transaction);
    if (!injector_begin(injector, &error)) {
        pending_withdraw(pending, call);
        injector_abandon(injector);
        return refuse(call, &error);
    }
    if (injector->state == INJECT_OPENING)
        return OUTCOME_PENDING;
    pending_withdraw(pending, call);
    return reply_opened(call, injector);
}

enum outcome handle_open_inject(struct call *call, const struct args_open_inject *args)
{
    struct injectors *injectors = injectors_of(call);
    struct holder holder = call_holder(call, true);
    struct injector_config config;
    struct injector *injector;
    struct error error;

    if (!injectors_judge(injectors, args, call->rate_limit, &config, &error) ||
        !injectors_have_room(injectors, &config, call->peer->uid, &error) ||
        !call_may_hold(call, NULL, &holder, &error))
        return refuse(call, &error);
    if (args->dry_run) {
        reply_injector(call, "would be opened", &config, NULL);
        return OUTCOME_REPLIED;
    }
    injector = injectors_add(injectors, &config, &holder, &error);
    if (!injector)
        return refuse(call, &error);
    call_note_lease(call, &injector->resource, &holder);
    record_grant(call);
    return open_now(call, injector);
}

/* --- Closing and showing ------------------------------------------------------------------- */

struct injector *find_injector(const struct injectors *injectors, uint32_t number,
                               struct error *error)
{
    struct injector *injector = injectors_find(injectors, number);

    if (!injector)
        error_set(error, ERROR_NOT_FOUND, "inject",
                  "Invalid argument: there is no injector %u. 'netbroker inject list' lists them.",
                  (unsigned)number);
    return injector;
}

enum outcome handle_close_inject(struct call *call, const struct args_close_inject *args)
{
    struct injectors *injectors = injectors_of(call);
    struct injector *injector;
    struct holder holder = call_releaser(call);
    struct error error;

    injector = find_injector(injectors, args->inject, &error);
    if (!injector || !resource_may_give_up(&injector->resource, &holder, &error))
        return refuse(call, &error);
    if (!args->dry_run)
        injector->end = RING_END_CLOSED;
    resource_give_up(injectors->host.leases, &injector->resource, &holder, args->dry_run);
    reply_success(call, "The injector %u %sended.", (unsigned)args->inject,
                  args->dry_run ? "would be " : "is ");
    return OUTCOME_REPLIED;
}

/* The one behind the last one that was looked at. */
struct cursor {
    const struct injectors *injectors;
    struct reader reader;
    uint32_t number;
};

static bool write_next(void *context, struct json *out)
{
    struct cursor *cursor = context;
    const struct injector *injector = injectors_next(cursor->injectors, cursor->number);

    if (!injector)
        return false;
    cursor->number = injector->number;
    if (reader_may_see(&cursor->reader, &injector->resource))
        write_injector(out, injector);
    return true;
}

enum outcome handle_show_inject(struct call *call, const struct args_show_inject *args)
{
    static const struct reply_list list = {.key = "injectors", .write_next = write_next};
    struct cursor *cursor = malloc(sizeof *cursor);

    (void)args;
    if (cursor)
        *cursor = (struct cursor){injectors_of(call), call_reader(call), 0};
    reply_open(call, "Injectors.");
    return reply_list(call, &list, cursor);
}
