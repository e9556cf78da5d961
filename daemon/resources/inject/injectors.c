#include "injectors.h"

#include "iec61850/process.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thread that takes no turn for so long is stuck: it takes one twice a second. */
enum {
    SILENT_SECONDS_MAX = 60,
    ORDINARY_RATE_PART = 4, /* of a user's share */
    NS_PER_MS = 1000000,
    MS_PER_SECOND = 1000,
};

struct injector *injector_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct injector);
}

static void tell(const struct injector *injector, enum injector_event event)
{
    const struct injectors_callbacks *callbacks = &injector->injectors->callbacks;

    callbacks->event(callbacks->context, event, injector);
}

/* --- The registry -------------------------------------------------------------------------- */

static const struct pool_words words = {
    "inject_bytes",
    "bytes of memory for injectors",
    "inject-mib-per-user of netbrokerd.conf(5)",
    "inject-mib of netbrokerd.conf(5)",
    "Ask for a smaller 'buffer', or end an injector first; 'netbroker inject list' lists them.",
    false,
};

static const struct pool_words rate_words = {
    "inject_rate",
    "frames a second of injectors",
    "inject-rate-per-user of netbrokerd.conf(5)",
    "inject-rate of netbrokerd.conf(5)",
    "Ask for a lower 'rate', or end an injector first; 'netbroker inject list' lists them.",
    false,
};

static uint64_t bytes_of(const struct injector_config *config)
{
    uint64_t more = 0;

    if (config->template)
        more = template_ring_bytes(config->tables);
    else if (config->timed)
        more = timed_ring_bytes(INJECT_FRAME_MAX);
    return ring_memory_bytes(config->size) + ring_memory_bytes(0) + more;
}

void injectors_init(struct injectors *injectors, const struct resource_host *host,
                    const struct injectors_callbacks *callbacks)
{
    injectors->host = *host;
    injectors->callbacks = *callbacks;
    TAILQ_INIT(&injectors->order);
    TAILQ_INIT(&injectors->ports);
    if (host->pools) {
        pools_add(host->pools, &injectors->pool, &words);
        pools_add(host->pools, &injectors->rates, &rate_words);
    }
    timed_thread_init(&injectors->timed, host->pools);
    injectors_set_limits(injectors, &LIMITS_DEFAULT);
}

/* Each user may have an ordinary one, as long as there are not too many. */
void injectors_set_limits(struct injectors *injectors, const struct limits *limits)
{
    uint64_t size = (uint64_t)limits->inject_mib << 20;
    uint64_t share = (uint64_t)limits->inject_mib_per_user << 20;
    uint64_t rate = limits->inject_rate, rate_share = limits->inject_rate_per_user;
    struct injector_config ordinary = {.size = INJECT_BYTES_DEFAULT};

    pool_bound(&injectors->pool,
               &(struct pool_bounds){size, share, size / POOL_RESERVE_PART, bytes_of(&ordinary)});
    pool_bound(&injectors->rates,
               &(struct pool_bounds){rate, rate_share, rate / POOL_RESERVE_PART, 1});
    injectors->rate_share = limits->inject_rate_per_user;
    timed_thread_set_limits(&injectors->timed, limits);
}

struct injector *injectors_next(const struct injectors *injectors, uint32_t number)
{
    struct injector *injector;

    TAILQ_FOREACH (injector, &injectors->order, in_order)
        if (injector->number > number && injector->state != INJECT_CLOSING)
            return injector;
    return NULL;
}

struct injector *injectors_find(const struct injectors *injectors, uint32_t number)
{
    struct injector *injector = number ? injectors_next(injectors, number - 1) : NULL;

    return injector && injector->number == number ? injector : NULL;
}

/* --- Judging ------------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t size)
{
    uint32_t power = INJECT_BYTES_LEAST;

    while (power < size)
        power *= 2;
    return power;
}

/* What a request that names no rate gets. */
static uint32_t ordinary_rate(const struct injectors *injectors, bool timed, uint32_t rate_limit)
{
    uint32_t part = injectors->rate_share / ORDINARY_RATE_PART;
    uint32_t rate = timed ? timed_thread_rate(&injectors->timed) : part > 0 ? part : 1;

    return rate_limit && rate_limit < rate ? rate_limit : rate;
}

static void fill_config(const struct args_open_inject *args, unsigned ifindex,
                        struct injector_config *ret)
{
    memset(ret, 0, sizeof *ret);
    memcpy(ret->interface, args->interface.text, sizeof ret->interface);
    ret->ifindex = ifindex;
    ret->size = round_up(args->buffer);
    ret->rate = args->rate;
    ret->timed = args->timed || args->template;
    ret->template = args->template;
    ret->tables = args->template ? args->tables : 0;
    ret->late = args->late;
    ret->start = args->start;
    ret->ethertypes = args->ethertypes;
    ret->scope = (struct send_scope){args->sources, args->destinations, args->vlans};
    if (ret->scope.sources.kinds == 0)
        ret->scope.sources.kinds = SOURCES_OWN;
}

static bool judge_start(const struct args_open_inject *args, struct error *error)
{
    if (args->start > 0 && !args->timed && !args->template)
        return error_set(error, ERROR_OUT_OF_RANGE, "start",
                         "Invalid argument: 'start' is when time 0 is, and only frames of an "
                         "injector with 'timed' have a time.");
    if (args->start > TIMED_TIME_MAX / NS_PER_MS)
        return error_set(error, ERROR_OUT_OF_RANGE, "start",
                         "Invalid argument: 'start' is in milliseconds since 1970, and at most "
                         "%" PRIu64 ", which is in the year 2116.",
                         TIMED_TIME_MAX / NS_PER_MS);
    return true;
}

static bool names_another(const struct ethertype_list *list, uint16_t ethertype)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->types[i] != ethertype)
            return true;
    return false;
}

static bool judge_template(const struct args_open_inject *args, struct error *error)
{
    if (!args->template)
        return true;
    if (names_another(&args->ethertypes, IEC_SV))
        return error_set(error, ERROR_OUT_OF_RANGE, "ethertypes",
                         "Invalid argument: the frames of a 'template' are Sampled Values, and "
                         "'ethertypes' names others than sv.");
    if (args->start % MS_PER_SECOND != 0)
        return error_set(error, ERROR_OUT_OF_RANGE, "start",
                         "Invalid argument: 'start' of a stream with a 'template' is a full "
                         "second, a multiple of %d milliseconds.",
                         MS_PER_SECOND);
    return true;
}

bool injectors_judge(struct injectors *injectors, const struct args_open_inject *args,
                     uint32_t rate_limit, struct injector_config *ret, struct error *error)
{
    const char *name = args->interface.text;
    const struct config *config = injectors->host.config;
    const struct netif *netif;

    if (!judge_start(args, error))
        return false;
    if (!judge_template(args, error))
        return false;
    if (config && !interface_set_has(&config->inject_interfaces, name))
        return error_set(error, ERROR_NOT_ALLOWED, "interface",
                         "The service may send no frames out of '%s': inject-interfaces of "
                         "netbrokerd.conf(5) does not name it. Ask your administrator.",
                         name);
    netif = netifs_find_ethernet(injectors->host.netifs, name, error);
    if (!netif)
        return false;
    fill_config(args, netif->ifindex, ret);
    ret->asked = ret->timed && (ret->rate > 0 || ret->template);
    if (ret->rate == 0)
        ret->rate = ordinary_rate(injectors, ret->timed, rate_limit);
    return true;
}

/* --- Adding and forgetting ----------------------------------------------------------------- */

static struct outlet *new_outlet(const struct injector_config *config, struct injector *owner)
{
    struct outlet *outlet = calloc(1, sizeof *outlet);

    if (!outlet)
        return NULL;
    outlet->owner = owner;
    outlet->scope = config->scope;
    outlet->ethertypes = config->ethertypes;
    outlet->per_second = config->rate;
    inject_ring_clear(&outlet->ring);
    return outlet;
}

static struct injector *new_injector(struct injectors *injectors,
                                     const struct injector_config *config, uid_t uid)
{
    struct injector *injector = calloc(1, sizeof *injector);
    struct outlet *outlet = new_outlet(config, injector);

    if (!injector || !outlet) {
        free(injector);
        free(outlet);
        return NULL;
    }
    injector->injectors = injectors;
    injector->outlet = outlet;
    injector->config = *config;
    injector->uid = uid;
    injector->number = ++injectors->last_number;
    TAILQ_INIT(&injector->waiters);
    resource_init(&injector->resource, &inject_ops);
    TAILQ_INSERT_TAIL(&injectors->order, injector, in_order);
    pool_force(&injectors->pool, uid, bytes_of(config));
    pool_force(&injectors->rates, uid, config->rate);
    if (config->timed)
        timed_thread_charge(&injectors->timed, uid, config->rate);
    if (config->asked)
        timed_cost_charge(&injectors->timed.cost, config->rate);
    return injector;
}

/* Its sender ends with its last injector. */
static void leave_port(struct injector *injector)
{
    struct inject_port *from = injector->from;

    injector->from = NULL;
    if (!from || --from->users > 0)
        return;
    if (from->sender && !from->stopping) {
        from->stopping = true;
        sender_stop(from->sender);
    }
}

static void stop_waiting(struct injector *injector)
{
    if (injector->is_waiting)
        TAILQ_REMOVE(&injector->from->waiting, injector, in_waiting);
    injector->is_waiting = false;
}

/* All but the page of its ring is freed. */
static void give_back(struct injector *injector)
{
    struct injectors *injectors = injector->injectors;

    pool_return(&injectors->pool, injector->uid,
                bytes_of(&injector->config) - ring_memory_bytes(0));
    pool_return(&injectors->rates, injector->uid, injector->config.rate);
    if (injector->config.timed)
        timed_thread_return(&injectors->timed, injector->uid, injector->config.rate);
    if (injector->config.asked)
        timed_cost_return(&injectors->timed.cost, injector->config.rate);
}

/* What users look at of a service that stops is in nobody's share then. */
static void end(struct injector *injector)
{
    struct injectors *injectors = injector->injectors;
    struct inject_ring *ring = &injector->outlet->ring;

    if (injectors->is_stopping)
        inject_ring_leave(ring);
    else
        inject_ring_free(ring);
    TAILQ_REMOVE(&injectors->order, injector, in_order);
    pool_return(&injectors->pool, injector->uid, ring_memory_bytes(0));
    injectors->sent += outlet_sent(injector->outlet);
    injectors->refused_frames += outlet_refused(injector->outlet);
    free(injector->outlet);
    free(injector);
}

static struct injector *injector_of_work(struct thread_work *work)
{
    return (struct injector *)((char *)work - offsetof(struct injector, work));
}

static int free_memory(struct thread_work *work)
{
    struct outlet *outlet = injector_of_work(work)->outlet;

    inject_ring_free_data(&outlet->ring);
    timed_ring_free(outlet->timed);
    template_ring_free(outlet->template);
    outlet->timed = NULL;
    outlet->template = NULL;
    return 0;
}

/* Its client may have gone, or be about to look for what became of its last frames. */
static void freed(struct thread_work *work)
{
    struct injector *injector = injector_of_work(work);

    give_back(injector);
    injector->is_working = false;
    injector->is_lingering =
        !injector->injectors->is_stopping && inject_ring_has_client(&injector->outlet->ring);
    if (!injector->is_lingering)
        end(injector);
}

/* There is no lease on it any more, and its memory is not the sender's. */
static void forget(struct injector *injector)
{
    const struct injectors *injectors = injector->injectors;

    stop_waiting(injector);
    leave_port(injector);
    injector->state = INJECT_CLOSING;
    if (injector->outlet->ring.data.page && injectors->host.loop && !injectors->is_stopping) {
        injector->is_working = true;
        thread_work_begin(&injector->work, injectors->host.loop, free_memory, freed);
        return;
    }
    free_memory(&injector->work);
    freed(&injector->work);
}

static bool lingers_on(struct injector *injector)
{
    return ++injector->lingered < INJECT_LINGERS && inject_ring_has_client(&injector->outlet->ring);
}

static void tick_lingering(struct injectors *injectors)
{
    struct injector *injector, *next;

    for (injector = TAILQ_FIRST(&injectors->order); injector; injector = next) {
        next = TAILQ_NEXT(injector, in_order);
        if (injector->is_lingering && !lingers_on(injector))
            end(injector);
    }
}

/* What nobody looks at any more. */
static void free_left(struct injectors *injectors, uid_t uid)
{
    struct injector *injector, *next;

    for (injector = TAILQ_FIRST(&injectors->order); injector; injector = next) {
        next = TAILQ_NEXT(injector, in_order);
        if (injector->uid == uid && injector->is_lingering &&
            !inject_ring_has_client(&injector->outlet->ring))
            end(injector);
    }
}

bool injectors_have_room(struct injectors *injectors, const struct injector_config *config,
                         uid_t uid, struct error *error)
{
    if (!pool_would_have(&injectors->pool, uid, bytes_of(config)))
        free_left(injectors, uid);
    return pool_may(&injectors->pool, uid, &(struct pool_request){.more = bytes_of(config)},
                    error) &&
           pool_may(&injectors->rates, uid, &(struct pool_request){.more = config->rate}, error) &&
           (!config->timed || timed_thread_may(&injectors->timed, uid, config->rate, error)) &&
           (!config->asked || timed_cost_allows(&injectors->timed.cost, config->rate, error));
}

/* The memory was reserved before. */
struct injector *injectors_add(struct injectors *injectors, const struct injector_config *config,
                               const struct holder *holder, struct error *error)
{
    struct injector *injector;

    if (!leases_reserve(injectors->host.leases, error))
        return NULL;
    injector = new_injector(injectors, config, holder->lease.uid);
    if (injector && lease_begin(injectors->host.leases, &injector->resource, holder))
        return injector;
    if (injector)
        forget(injector);
    error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another injector.");
    return NULL;
}

int injector_take_fd(struct injector *injector, unsigned place)
{
    return inject_ring_take_fd(&injector->outlet->ring, place);
}

/* --- Closing ------------------------------------------------------------------------------- */

/* Connections end with the service, and nobody's right does. */
static enum ring_end why(const struct injector *injector)
{
    const bool *ending = injector->injectors->host.ending;

    if (injector->end)
        return injector->end;
    return ending && *ending ? RING_END_SERVICE : RING_END_REVOKED;
}

static void close_injector(struct injector *injector)
{
    bool was_open = injector->state == INJECT_OPEN;
    struct inject_port *from = injector->from;

    if (was_open)
        tell(injector, INJECT_CLOSED_EVENT);
    injector->state = INJECT_CLOSING;
    if (was_open && from && from->sender)
        sender_remove(from->sender, injector->outlet, why(injector));
    else if (!injector->is_held && !injector->is_working)
        forget(injector);
}

void injector_release(struct resource *resource)
{
    close_injector(injector_of_resource(resource));
}

/* Whoever holds it. */
static void lose(struct injector *injector, enum ring_end end)
{
    injector->end = end;
    resource_end_leases(injector->injectors->host.leases, &injector->resource);
    close_injector(injector);
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
    {-ENXIO, ERROR_NOT_FOUND, "interface", "the interface is gone"},
    {-EAGAIN, ERROR_LIMIT, NULL, "too many are being opened; try again later"},
    {-ENOMEM, ERROR_NO_MEMORY, NULL, "there is no memory for its ring"},
    {-EAFNOSUPPORT, ERROR_UNSUPPORTED, NULL, "this kernel has no packet sockets"},
    {-EPERM, ERROR_UNSUPPORTED, NULL, "the service may not open packet sockets"},
};

static void explain(const struct injector *injector, int result, const char *more,
                    struct error *error)
{
    const char *interface = injector->config.interface;

    injector->injectors->refused++;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == result) {
            error_set(error, refusals[i].code, refusals[i].field,
                      "No frames can be sent out of %s: %s.", interface,
                      more[0] ? more : refusals[i].text);
            return;
        }
    error_set(error, ERROR_INTERNAL, NULL, "The kernel refused to send frames out of %s: %s%s%s.",
              interface, strerror(-result), more[0] ? "; " : "", more);
}

static bool has_netif(const struct injector *injector)
{
    const struct injector_config *config = &injector->config;

    return netifs_have(injector->injectors->host.netifs, config->ifindex, config->interface);
}

/* The first one has the thread found out what a frame costs. It is counted already. */
static bool can_hold(const struct injector *injector, struct error *error)
{
    struct timed_thread *thread = &injector->injectors->timed;
    struct timed_cost others;

    if (!injector->config.asked)
        return true;
    timed_thread_look(thread);
    others = thread->cost;
    timed_cost_return(&others, injector->config.rate);
    return timed_cost_allows(&others, injector->config.rate, error);
}

/* Its memory is made, or is not. Its interface may have gone meanwhile: word of that was for those
 * that were open. */
static bool attach(struct injector *injector, int result, struct error *error)
{
    if (result == 0 && injector->injectors->is_stopping)
        result = -ECANCELED;
    if (result == 0 && !has_netif(injector))
        result = -ENXIO;
    if (result < 0) {
        explain(injector, result, "", error);
        return false;
    }
    if (!can_hold(injector, error))
        return false;
    injector->state = INJECT_OPEN;
    injector->injectors->opened++;
    sender_add(injector->from->sender, injector->outlet);
    tell(injector, INJECT_OPENED_EVENT);
    return true;
}

void injector_abandon(struct injector *injector)
{
    if (injector->state != INJECT_CLOSING)
        resource_end_leases(injector->injectors->host.leases, &injector->resource);
    forget(injector);
}

/* Who is told may end at once, and the injector with him. */
static void refuse(struct injector *injector, const struct error *error)
{
    injector->is_held = true;
    waiters_resume(&injector->waiters, error);
    injector_abandon(injector);
}

static void attach_waiting(struct injector *injector, int result)
{
    struct error error;

    if (attach(injector, result, &error))
        waiters_resume(&injector->waiters, NULL);
    else
        refuse(injector, &error);
}

static int make_timed(struct injector *injector)
{
    const struct injector_config *config = &injector->config;
    struct timed_config timed = {.start = config->start * 1000000,
                                 .late = (uint64_t)config->late * 1000,
                                 .rate = config->rate};

    if (config->template) {
        injector->outlet->template = template_ring_make(injector->timed, &timed, config->tables);
        return injector->outlet->template ? 0 : -ENOMEM;
    }
    injector->outlet->timed = timed_ring_make(injector->timed, &timed, INJECT_FRAME_MAX);
    return injector->outlet->timed ? 0 : -ENOMEM;
}

static int make_memory(struct thread_work *work)
{
    struct injector *injector = injector_of_work(work);
    int result = inject_ring_make(&injector->outlet->ring, injector->config.size);

    if (injector->config.asked)
        timed_wait_for_cost(injector->timed);
    return result == 0 && injector->config.timed ? make_timed(injector) : result;
}

/* Its lease may have ended meanwhile. */
static void made(struct thread_work *work)
{
    struct injector *injector = injector_of_work(work);

    injector->is_working = false;
    if (injector->state == INJECT_CLOSING)
        forget(injector);
    else
        attach_waiting(injector, work->result);
}

/* The timed sender begins with the first one that has times. False: it could not, or, without a
 * loop, the memory was made at once; *ret_result says how. */
static bool begin_memory(struct injector *injector, int *ret_result)
{
    struct injectors *injectors = injector->injectors;

    *ret_result = injector->config.timed ? timed_thread_start(&injectors->timed) : 0;
    if (*ret_result < 0)
        return false;
    injector->timed = injectors->timed.timed;
    injector->is_working = injectors->host.loop != NULL;
    if (injector->is_working)
        thread_work_begin(&injector->work, injectors->host.loop, make_memory, made);
    else
        *ret_result = make_memory(&injector->work);
    return injector->is_working;
}

static void refuse_waiting(struct injector *injector, int result, const char *more)
{
    struct error error;

    explain(injector, result, more, &error);
    refuse(injector, &error);
}

/* The oldest one that waits, which does so no more. clang-tidy does not see that one which was
 * freed has left the list: the list's head and the neighbour's link are the same to it.
 * NOLINTBEGIN(clang-analyzer-unix.Malloc) */
static struct injector *next_opening(struct inject_port *from)
{
    struct injector *injector = TAILQ_FIRST(&from->waiting);

    if (injector)
        stop_waiting(injector);
    return injector;
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

static void drop_port(struct inject_port *from)
{
    TAILQ_REMOVE(&from->injectors->ports, from, in_ports);
    free(from);
}

/* Those who wait for it may end meanwhile, and others with them: it is kept by one more user. */
static void take_port(struct inject_port *from, int fd)
{
    struct injectors *injectors = from->injectors;
    struct injector *injector;
    int error = 0;

    from->users++;
    from->sender =
        sender_start(fd, injectors->callbacks.wake, injectors->callbacks.context, &error);
    while ((injector = next_opening(from))) {
        if (!from->sender)
            refuse_waiting(injector, error, "");
        else if (!begin_memory(injector, &error))
            attach_waiting(injector, error);
    }
    if (--from->users > 0)
        return;
    if (!from->sender) {
        drop_port(from);
        return;
    }
    from->stopping = true;
    sender_stop(from->sender);
}

static void answered(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct inject_port *from =
        (struct inject_port *)((char *)call - offsetof(struct inject_port, call));
    struct injector *injector;

    from->asked = false;
    if (answer->error == 0) {
        take_port(from, fd);
        return;
    }
    if (answer->error == -ECANCELED)
        return;
    from->users++;
    while ((injector = next_opening(from)))
        refuse_waiting(injector, answer->error, answer->text);
    drop_port(from);
}

static struct inject_port *find_port(const struct injectors *injectors, uint32_t ifindex)
{
    struct inject_port *from;

    TAILQ_FOREACH (from, &injectors->ports, in_ports)
        if (!from->stopping && from->users < SENDER_OUTLETS_MAX && from->ifindex == ifindex)
            return from;
    return NULL;
}

static struct inject_port *ask_port(struct injectors *injectors, uint32_t ifindex)
{
    struct inject_port *from = calloc(1, sizeof *from);

    if (!from)
        return NULL;
    TAILQ_INIT(&from->waiting);
    from->injectors = injectors;
    from->ifindex = ifindex;
    from->asked = true;
    from->call.request.operation = KEEPER_OPEN_INJECT;
    from->call.request.ifindex = ifindex;
    from->call.done = answered;
    TAILQ_INSERT_TAIL(&injectors->ports, from, in_ports);
    keeper_ask(injectors->host.keeper, &from->call);
    return from;
}

bool injector_begin(struct injector *injector, struct error *error)
{
    struct injectors *injectors = injector->injectors;
    struct inject_port *from = find_port(injectors, injector->config.ifindex);
    int result;

    if (!from)
        from = ask_port(injectors, injector->config.ifindex);
    if (!from) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another injector.");
        return false;
    }
    injector->from = from;
    from->users++;
    if (from->sender)
        return begin_memory(injector, &result) || attach(injector, result, error);
    TAILQ_INSERT_TAIL(&from->waiting, injector, in_waiting);
    injector->is_waiting = true;
    return true;
}

/* --- What threads give back ---------------------------------------------------------------- */

/* Its client has written what cannot be, or the sender had no room. */
static void lose_returned(struct injector *injector)
{
    resource_end_leases(injector->injectors->host.leases, &injector->resource);
    tell(injector, INJECT_CLOSED_EVENT);
    injector->state = INJECT_CLOSING;
    forget(injector);
}

static void take_removed(struct sender *sender)
{
    struct outlet *outlet;

    while ((outlet = sender_next_removed(sender))) {
        struct injector *injector = outlet->owner;

        if (injector->state == INJECT_CLOSING)
            forget(injector);
        else
            lose_returned(injector);
    }
}

static void end_port(struct inject_port *from)
{
    int fd = sender_free(from->sender);

    from->sender = NULL;
    from->injectors->callbacks.close(from->injectors->callbacks.context, fd);
}

void injectors_settle(struct injectors *injectors)
{
    struct inject_port *from, *next;

    for (from = TAILQ_FIRST(&injectors->ports); from; from = next) {
        next = TAILQ_NEXT(from, in_ports);
        if (!from->sender)
            continue;
        take_removed(from->sender);
        if (!sender_has_ended(from->sender))
            continue;
        take_removed(from->sender);
        end_port(from);
        drop_port(from);
    }
}

/* --- The world ----------------------------------------------------------------------------- */

static void lose_netif(struct injectors *injectors, unsigned ifindex)
{
    struct injector *injector, *next;

    for (injector = TAILQ_FIRST(&injectors->order); injector; injector = next) {
        next = TAILQ_NEXT(injector, in_order);
        if (injector->config.ifindex == ifindex && injector->state == INJECT_OPEN)
            lose(injector, RING_END_INTERFACE);
    }
}

void injectors_netif_changed(struct injectors *injectors, const struct netif *was,
                             const struct netif *is)
{
    if (was && !netif_is_still(was, is))
        lose_netif(injectors, was->ifindex);
}

/* The broker is started again, as where its loop is stuck (keeper/channel.h). */
static void end_of_a_stuck_thread(void)
{
    log_line(LOG_ERR, "a thread that sends frames is stuck; the broker ends.");
    abort();
}

void injectors_tick(struct injectors *injectors)
{
    struct inject_port *from;

    tick_lingering(injectors);
    if (!timed_thread_tick(&injectors->timed, SILENT_SECONDS_MAX))
        end_of_a_stuck_thread();
    TAILQ_FOREACH (from, &injectors->ports, in_ports) {
        if (from->sender && sender_is_stuck(from->sender))
            end_of_a_stuck_thread();
    }
}

void injectors_stop(struct injectors *injectors)
{
    struct inject_port *from;

    injectors->is_stopping = true;
    TAILQ_FOREACH (from, &injectors->ports, in_ports)
        if (from->sender)
            sender_stop(from->sender);
    TAILQ_FOREACH (from, &injectors->ports, in_ports) {
        struct sender *sender = from->sender;

        if (sender)
            end_port(from);
    }
    timed_thread_stop(&injectors->timed);
}

void injectors_clear(struct injectors *injectors)
{
    for (struct injector *injector = TAILQ_FIRST(&injectors->order), *next; injector;
         injector = next) {
        next = TAILQ_NEXT(injector, in_order);
        resource_forget(injectors->host.leases, &injector->resource);
        if (injector->is_lingering)
            end(injector);
        else
            forget(injector);
    }
    for (struct inject_port *from = TAILQ_FIRST(&injectors->ports), *next; from; from = next) {
        next = TAILQ_NEXT(from, in_ports);
        drop_port(from);
    }
    timed_thread_free(&injectors->timed);
}
