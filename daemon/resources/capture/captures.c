#include "captures.h"

#include "filter/filter.h"
#include "log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture *capture_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct capture);
}

static void tell(const struct capture *capture, enum capture_event event)
{
    const struct captures_callbacks *callbacks = &capture->captures->callbacks;

    callbacks->event(callbacks->context, event, capture);
}

/* --- The registry -------------------------------------------------------------------------- */

static const struct pool_words words = {
    "capture_bytes",
    "bytes of memory for captures",
    "capture-mib-per-user of netbrokerd.conf(5)",
    "capture-mib of netbrokerd.conf(5)",
    "Ask for a smaller 'buffer', or end a capture first; 'netbroker capture list' lists them. One "
    "that "
    "has ended counts until it was read, or for a few seconds.",
    false,
};

/* As if it had a ring of the kernel's for itself. */
static uint64_t bytes_of(const struct capture_config *config)
{
    return ring_memory_bytes(config->size) + ring_memory_bytes(0) + PACKETS_RING;
}

void captures_init(struct captures *captures, const struct resource_host *host,
                   const struct captures_callbacks *callbacks)
{
    captures->host = *host;
    captures->callbacks = *callbacks;
    TAILQ_INIT(&captures->order);
    TAILQ_INIT(&captures->sources);
    if (host->pools)
        pools_add(host->pools, &captures->pool, &words);
    captures_set_limits(captures, &LIMITS_DEFAULT);
}

/* One more for each user, of those who have none. */
void captures_set_limits(struct captures *captures, const struct limits *limits)
{
    uint64_t size = (uint64_t)limits->capture_mib << 20;
    uint64_t share = (uint64_t)limits->capture_mib_per_user << 20;
    struct capture_config ordinary = {.size = CAPTURE_BYTES_DEFAULT};

    pool_bound(&captures->pool,
               &(struct pool_bounds){size, share, size / POOL_RESERVE_PART, bytes_of(&ordinary)});
}

struct capture *captures_next(const struct captures *captures, uint32_t number)
{
    struct capture *capture;

    TAILQ_FOREACH (capture, &captures->order, in_order)
        if (capture->number > number && capture->state != CAPTURE_CLOSING)
            return capture;
    return NULL;
}

struct capture *captures_find(const struct captures *captures, uint32_t number)
{
    struct capture *capture = number ? captures_next(captures, number - 1) : NULL;

    return capture && capture->number == number ? capture : NULL;
}

/* --- Judging ------------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t size)
{
    uint32_t power = CAPTURE_BYTES_LEAST;

    while (power < size)
        power *= 2;
    return power;
}

static int compare_types(const void *left, const void *right)
{
    return *(const uint16_t *)left - *(const uint16_t *)right;
}

/* In one order, so that the same is the same. */
static void fill_config(const struct args_open_capture *args, unsigned ifindex,
                        struct capture_config *ret)
{
    struct packets_config *packets = &ret->packets;

    memset(ret, 0, sizeof *ret);
    memcpy(ret->interface, args->interface.text, sizeof ret->interface);
    ret->snaplen = args->snaplen;
    ret->size = round_up(args->buffer);
    packets->ifindex = ifindex;
    packets->latency = args->latency;
    packets->directions = args->direction ? args->direction : DIRECTION_BOTH;
    packets->promiscuous = args->promiscuous;
    packets->timestamps = args->timestamps ? args->timestamps : TIMESTAMPS_KERNEL;
    packets->ethertypes.count = args->ethertypes.count;
    memcpy(packets->ethertypes.types, args->ethertypes.types,
           args->ethertypes.count * sizeof *args->ethertypes.types);
    qsort(packets->ethertypes.types, packets->ethertypes.count, sizeof(uint16_t), compare_types);
}

static bool judge_filter(const struct program *filter, struct error *error)
{
    uint32_t at;
    const char *wrong = filter_judge(filter, &at);

    return !wrong || error_set(error, ERROR_OUT_OF_RANGE, "filter",
                               "Invalid argument: 'filter' has a mistake in instruction %u: %s. "
                               "Programs that libpcap compiles have none.",
                               at, wrong);
}

bool captures_judge(struct captures *captures, const struct args_open_capture *args,
                    struct capture_config *ret, struct error *error)
{
    const char *name = args->interface.text;
    const struct config *config = captures->host.config;
    const struct netif *netif;

    if (!judge_filter(&args->filter, error))
        return false;
    if (config && !interface_set_has(&config->capture_interfaces, name))
        return error_set(error, ERROR_NOT_ALLOWED, "interface",
                         "The service may capture no frames of '%s': capture-interfaces of "
                         "netbrokerd.conf(5) does not name it. Ask your administrator.",
                         name);
    netif = netifs_find_ethernet(captures->host.netifs, name, error);
    if (!netif)
        return false;
    fill_config(args, netif->ifindex, ret);
    return true;
}

/* --- Adding and forgetting ----------------------------------------------------------------- */

static struct capture *new_capture(struct captures *captures, const struct capture_config *config,
                                   const struct program *filter, uid_t uid)
{
    struct capture *capture = calloc(1, sizeof *capture);
    struct frame_reader *reader = calloc(1, sizeof *reader);

    if (!capture || !reader) {
        free(capture);
        free(reader);
        return NULL;
    }
    reader->owner = capture;
    reader->filter = *filter;
    reader->snaplen = config->snaplen;
    shared_ring_clear(&reader->ring);
    capture->captures = captures;
    capture->reader = reader;
    capture->config = *config;
    capture->uid = uid;
    capture->number = ++captures->last_number;
    TAILQ_INIT(&capture->waiters);
    resource_init(&capture->resource, &capture_ops);
    TAILQ_INSERT_TAIL(&captures->order, capture, in_order);
    pool_force(&captures->pool, uid, bytes_of(config));
    return capture;
}

/* Its source ends with its last capture. */
static void leave_source(struct capture *capture)
{
    struct capture_source *from = capture->from;

    capture->from = NULL;
    if (!from || --from->users > 0)
        return;
    if (from->source && !from->stopping) {
        from->stopping = true;
        source_stop(from->source);
    }
}

static void stop_waiting(struct capture *capture)
{
    if (capture->is_waiting)
        TAILQ_REMOVE(&capture->from->waiting, capture, in_waiting);
    capture->is_waiting = false;
}

/* Its ring is freed. */
static void end(struct capture *capture)
{
    struct captures *captures = capture->captures;

    TAILQ_REMOVE(&captures->order, capture, in_order);
    pool_return(&captures->pool, capture->uid, bytes_of(&capture->config));
    free(capture->reader);
    free(capture);
}

static struct capture *capture_of_work(struct thread_work *work)
{
    return (struct capture *)((char *)work - offsetof(struct capture, work));
}

/* --- Freeing what has ended ---------------------------------------------------------------- */

static int free_memory(struct thread_work *work)
{
    shared_ring_free(&capture_of_work(work)->reader->ring);
    return 0;
}

static void freed(struct thread_work *work)
{
    end(capture_of_work(work));
}

/* Whoever reads a ring of a service that stops may do so for ever: it is in nobody's share then. */
static void free_ring(struct capture *capture)
{
    const struct captures *captures = capture->captures;
    struct shared_ring *ring = &capture->reader->ring;

    capture->is_lingering = false;
    if (ring->data.page && captures->host.loop && !captures->is_stopping) {
        capture->is_working = capture->is_freeing = true;
        thread_work_begin(&capture->work, captures->host.loop, free_memory, freed);
        return;
    }
    if (captures->is_stopping)
        shared_ring_leave(ring);
    else
        shared_ring_free(ring);
    end(capture);
}

/* There is no lease on it any more, and its ring is not the source's. Its client may have ended, or
 * be about to read what came at last. */
static void forget(struct capture *capture)
{
    stop_waiting(capture);
    leave_source(capture);
    capture->state = CAPTURE_CLOSING;
    capture->is_lingering =
        !capture->captures->is_stopping && shared_ring_has_reader(&capture->reader->ring);
    if (!capture->is_lingering)
        free_ring(capture);
}

/* Whether nobody misses what is in a ring that has ended. */
static bool was_read(const struct capture *capture)
{
    return !shared_ring_has_reader(&capture->reader->ring) ||
           capture_writer_was_read(&capture->reader->writer);
}

/* A second has passed. Who has read all records may be about to read why there are no more: he has
 * another one for that. */
static bool lingers_on(struct capture *capture)
{
    capture->lingered++;
    if (capture->lingered == 1)
        return shared_ring_has_reader(&capture->reader->ring);
    return capture->lingered < CAPTURE_LINGERS && !was_read(capture);
}

static void tick_lingering(struct captures *captures)
{
    struct capture *capture, *next;

    for (capture = TAILQ_FIRST(&captures->order); capture; capture = next) {
        next = TAILQ_NEXT(capture, in_order);
        if (capture->is_lingering && !lingers_on(capture))
            free_ring(capture);
    }
}

static void free_read(struct captures *captures, uid_t uid)
{
    struct capture *capture, *next;

    for (capture = TAILQ_FIRST(&captures->order); capture; capture = next) {
        next = TAILQ_NEXT(capture, in_order);
        if (capture->uid == uid && capture->is_lingering && was_read(capture))
            free_ring(capture);
    }
}

/* What threads are giving back of the user's: before they make what is asked for afterwards. */
static uint64_t freeing_bytes(const struct captures *captures, uid_t uid)
{
    const struct capture *capture;
    uint64_t bytes = 0;

    TAILQ_FOREACH (capture, &captures->order, in_order)
        if (capture->uid == uid && capture->is_freeing)
            bytes += bytes_of(&capture->config);
    return bytes;
}

bool captures_have_room(struct captures *captures, const struct capture_config *config, uid_t uid,
                        struct error *error)
{
    struct pool_request request = {.more = bytes_of(config)};

    if (pool_would_have(&captures->pool, uid, request.more))
        return true;
    free_read(captures, uid);
    request.less = freeing_bytes(captures, uid);
    return pool_may(&captures->pool, uid, &request, error);
}

/* --- Adding -------------------------------------------------------------------------------- */

/* The memory was reserved before. */
struct capture *captures_add(struct captures *captures, const struct capture_config *config,
                             const struct program *filter, const struct holder *holder,
                             struct error *error)
{
    struct capture *capture;

    if (!leases_reserve(captures->host.leases, error))
        return NULL;
    capture = new_capture(captures, config, filter, holder->lease.uid);
    if (capture && lease_begin(captures->host.leases, &capture->resource, holder))
        return capture;
    if (capture)
        forget(capture);
    error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another capture.");
    return NULL;
}

int capture_take_fd(struct capture *capture, unsigned place)
{
    return shared_ring_take_fd(&capture->reader->ring, place);
}

/* --- Closing ------------------------------------------------------------------------------- */

/* Connections end with the service, and nobody's right does. */
static enum ring_end why(const struct capture *capture)
{
    const bool *ending = capture->captures->host.ending;

    if (capture->end)
        return capture->end;
    return ending && *ending ? RING_END_SERVICE : RING_END_REVOKED;
}

static void close_capture(struct capture *capture)
{
    bool was_open = capture->state == CAPTURE_OPEN;
    struct capture_source *from = capture->from;

    if (was_open)
        tell(capture, CAPTURE_CLOSED_EVENT);
    capture->state = CAPTURE_CLOSING;
    if (was_open && from && from->source)
        source_remove(from->source, capture->reader, why(capture));
    else if (!capture->is_held && !capture->is_working)
        forget(capture);
}

void capture_release(struct resource *resource)
{
    close_capture(capture_of_resource(resource));
}

/* Whoever holds it. */
static void lose(struct capture *capture, enum ring_end end)
{
    capture->end = end;
    resource_end_leases(capture->captures->host.leases, &capture->resource);
    close_capture(capture);
}

/* --- Opening ------------------------------------------------------------------------------- */

static const struct {
    int error;
    enum error_code code;
    const char *field;
    const char *text;
} refusals[] = {
    {-EACCES, ERROR_NOT_ALLOWED, "interface", "netbrokerd.conf(5) does not allow it"},
    {-ENODEV, ERROR_NOT_FOUND, "interface", "the interface is gone"},
    {-EOPNOTSUPP, ERROR_UNSUPPORTED, "timestamps", "the interface has no clock for all frames"},
    {-ENXIO, ERROR_NOT_FOUND, "interface", "the interface is gone"},
    {-EAGAIN, ERROR_LIMIT, NULL, "too many are being opened; try again later"},
    {-ENOMEM, ERROR_NO_MEMORY, NULL, "there is no memory for its ring"},
    {-EAFNOSUPPORT, ERROR_UNSUPPORTED, NULL, "this kernel has no packet sockets"},
    {-EPERM, ERROR_UNSUPPORTED, NULL, "the service may not open packet sockets"},
};

static void explain(const struct capture *capture, int result, const char *more,
                    struct error *error)
{
    const char *interface = capture->config.interface;

    capture->captures->refused++;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == result) {
            error_set(error, refusals[i].code, refusals[i].field,
                      "The frames of %s cannot be captured: %s.", interface,
                      more[0] ? more : refusals[i].text);
            return;
        }
    error_set(error, ERROR_INTERNAL, NULL, "The kernel refused the frames of %s: %s%s%s.",
              interface, strerror(-result), more[0] ? "; " : "", more);
}

static bool has_netif(const struct capture *capture)
{
    const struct capture_config *config = &capture->config;

    return netifs_have(capture->captures->host.netifs, config->packets.ifindex, config->interface);
}

/* Its ring is made, or is not. Its interface may have gone meanwhile: word of that was for those
 * that were open. */
static bool attach(struct capture *capture, int result, struct error *error)
{
    if (result == 0 && capture->captures->is_stopping)
        result = -ECANCELED;
    if (result == 0 && !has_netif(capture))
        result = -ENXIO;
    if (result < 0) {
        explain(capture, result, "", error);
        return false;
    }
    capture->state = CAPTURE_OPEN;
    capture->captures->opened++;
    source_add(capture->from->source, capture->reader);
    tell(capture, CAPTURE_OPENED_EVENT);
    return true;
}

void capture_abandon(struct capture *capture)
{
    if (capture->state != CAPTURE_CLOSING)
        resource_end_leases(capture->captures->host.leases, &capture->resource);
    forget(capture);
}

/* Who is told may end at once, and the capture with him. */
static void refuse(struct capture *capture, const struct error *error)
{
    capture->is_held = true;
    waiters_resume(&capture->waiters, error);
    capture_abandon(capture);
}

static void attach_waiting(struct capture *capture, int result)
{
    struct error error;

    if (attach(capture, result, &error))
        waiters_resume(&capture->waiters, NULL);
    else
        refuse(capture, &error);
}

static int make_memory(struct thread_work *work)
{
    const struct capture *capture = capture_of_work(work);

    return shared_ring_make(&capture->reader->ring, capture->config.size);
}

/* Its lease may have ended meanwhile. */
static void made(struct thread_work *work)
{
    struct capture *capture = capture_of_work(work);

    capture->is_working = false;
    if (capture->state == CAPTURE_CLOSING)
        forget(capture);
    else
        attach_waiting(capture, work->result);
}

/* False: without a loop it is made at once, and *ret_result says how. */
static bool begin_memory(struct capture *capture, int *ret_result)
{
    struct captures *captures = capture->captures;

    *ret_result = 0;
    capture->is_working = captures->host.loop != NULL;
    if (capture->is_working)
        thread_work_begin(&capture->work, captures->host.loop, make_memory, made);
    else
        *ret_result = make_memory(&capture->work);
    return capture->is_working;
}

static void refuse_waiting(struct capture *capture, int result, const char *more)
{
    struct error error;

    explain(capture, result, more, &error);
    refuse(capture, &error);
}

/* The oldest one that waits, which does so no more. clang-tidy does not see that one which was
 * freed has left the list: the list's head and the neighbour's link are the same to it.
 * NOLINTBEGIN(clang-analyzer-unix.Malloc) */
static struct capture *next_opening(struct capture_source *from)
{
    struct capture *capture = TAILQ_FIRST(&from->waiting);

    if (capture)
        stop_waiting(capture);
    return capture;
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

static void drop_source(struct capture_source *from)
{
    TAILQ_REMOVE(&from->captures->sources, from, in_sources);
    free(from);
}

static const struct netif *netif_of(const struct capture_source *from)
{
    return netifs_find_index(from->captures->host.netifs, from->packets.ifindex);
}

/* Those who wait for it may end meanwhile, and others with them: it is kept by one more user. */
static void take_source(struct capture_source *from, int fd)
{
    struct captures *captures = from->captures;
    const struct netif *netif = netif_of(from);
    struct capture *capture;
    int error = 0;

    from->users++;
    from->source = source_start(&from->packets, fd, netif && netif->running,
                                captures->callbacks.wake, captures->callbacks.context, &error);
    while ((capture = next_opening(from))) {
        if (!from->source)
            refuse_waiting(capture, error, "");
        else if (!begin_memory(capture, &error))
            attach_waiting(capture, error);
    }
    if (--from->users > 0)
        return;
    if (!from->source) {
        drop_source(from);
        return;
    }
    from->stopping = true;
    source_stop(from->source);
}

static void answered(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct capture_source *from =
        (struct capture_source *)((char *)call - offsetof(struct capture_source, call));
    struct capture *capture;

    from->asked = false;
    if (answer->error == 0) {
        take_source(from, fd);
        return;
    }
    if (answer->error == -ECANCELED)
        return;
    from->users++;
    while ((capture = next_opening(from)))
        refuse_waiting(capture, answer->error, answer->text);
    drop_source(from);
}

static struct capture_source *find_source(const struct captures *captures, uid_t uid,
                                          const struct packets_config *packets)
{
    struct capture_source *from;

    TAILQ_FOREACH (from, &captures->sources, in_sources)
        if (!from->stopping && from->users < SOURCE_READERS_MAX && from->uid == uid &&
            memcmp(&from->packets, packets, sizeof *packets) == 0)
            return from;
    return NULL;
}

static struct capture_source *ask_source(struct captures *captures, uid_t uid,
                                         const struct packets_config *packets)
{
    struct capture_source *from = calloc(1, sizeof *from);

    if (!from)
        return NULL;
    TAILQ_INIT(&from->waiting);
    from->captures = captures;
    from->uid = uid;
    from->packets = *packets;
    from->asked = true;
    from->call.request.operation = KEEPER_OPEN_CAPTURE;
    from->call.request.packets = *packets;
    from->call.done = answered;
    TAILQ_INSERT_TAIL(&captures->sources, from, in_sources);
    keeper_ask(captures->host.keeper, &from->call);
    return from;
}

bool capture_begin(struct capture *capture, struct error *error)
{
    struct captures *captures = capture->captures;
    struct capture_source *from = find_source(captures, capture->uid, &capture->config.packets);
    int result;

    if (!from)
        from = ask_source(captures, capture->uid, &capture->config.packets);
    if (!from) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another capture.");
        return false;
    }
    capture->from = from;
    from->users++;
    if (from->source)
        return begin_memory(capture, &result) || attach(capture, result, error);
    TAILQ_INSERT_TAIL(&from->waiting, capture, in_waiting);
    capture->is_waiting = true;
    return true;
}

/* --- What threads give back ---------------------------------------------------------------- */

static void take_removed(struct source *source)
{
    struct frame_reader *reader;

    while ((reader = source_next_removed(source))) {
        struct capture *capture = reader->owner;

        if (capture->state == CAPTURE_CLOSING)
            forget(capture);
        else /* the source had no room */
            leave_source(capture);
    }
}

static void end_source(struct capture_source *from)
{
    int fd = source_free(from->source);

    from->source = NULL;
    from->captures->callbacks.close(from->captures->callbacks.context, fd);
}

void captures_settle(struct captures *captures)
{
    struct capture_source *from, *next;

    for (from = TAILQ_FIRST(&captures->sources); from; from = next) {
        next = TAILQ_NEXT(from, in_sources);
        if (!from->source)
            continue;
        take_removed(from->source);
        if (!source_has_ended(from->source))
            continue;
        take_removed(from->source);
        end_source(from);
        drop_source(from);
    }
}

/* --- The world ----------------------------------------------------------------------------- */

static void lose_netif(struct captures *captures, unsigned ifindex)
{
    struct capture *capture, *next;

    for (capture = TAILQ_FIRST(&captures->order); capture; capture = next) {
        next = TAILQ_NEXT(capture, in_order);
        if (capture->config.packets.ifindex == ifindex && capture->state == CAPTURE_OPEN)
            lose(capture, RING_END_INTERFACE);
    }
}

void captures_netif_changed(struct captures *captures, const struct netif *was,
                            const struct netif *is)
{
    struct capture_source *from;

    if (was && !netif_is_still(was, is))
        lose_netif(captures, was->ifindex);
    TAILQ_FOREACH (from, &captures->sources, in_sources)
        if (is && from->source && from->packets.ifindex == is->ifindex)
            source_set_up(from->source, is->running);
}

/* The broker is started again, as where its loop is stuck (keeper/channel.h). */
void captures_tick(struct captures *captures)
{
    struct capture_source *from;

    tick_lingering(captures);
    TAILQ_FOREACH (from, &captures->sources, in_sources) {
        if (!from->source || !source_is_stuck(from->source))
            continue;
        log_line(LOG_ERR, "a thread that captures frames is stuck; the broker ends.");
        abort();
    }
}

void captures_stop(struct captures *captures)
{
    struct capture_source *from;

    captures->is_stopping = true;
    TAILQ_FOREACH (from, &captures->sources, in_sources)
        if (from->source)
            source_stop(from->source);
    TAILQ_FOREACH (from, &captures->sources, in_sources) {
        struct source *source = from->source;

        if (source)
            end_source(from);
    }
}

void captures_clear(struct captures *captures)
{
    for (struct capture *capture = TAILQ_FIRST(&captures->order), *next; capture; capture = next) {
        next = TAILQ_NEXT(capture, in_order);
        resource_forget(captures->host.leases, &capture->resource);
        forget(capture);
    }
    for (struct capture_source *from = TAILQ_FIRST(&captures->sources), *next; from; from = next) {
        next = TAILQ_NEXT(from, in_sources);
        drop_source(from);
    }
}
