/* What the keeper and the kernel do to taps: they are made, go, lose their bridges, and are there
 * already when a broker begins. */
#include "log.h"
#include "tap_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Between attempts at what the keeper refused. */
enum { RETRY_SECONDS = 5 };

static struct tap *tap_of_call(struct keeper_call *call)
{
    return (struct tap *)((char *)call - offsetof(struct tap, call));
}

static void tell(const struct tap *tap, enum tap_event event)
{
    tap->taps->callbacks.event(tap->taps->callbacks.context, event, tap);
}

static const struct netif *netif_of(const struct tap *tap)
{
    return tap->ifindex ? netifs_find_index(tap->taps->host.netifs, tap->ifindex) : NULL;
}

/* A bridge may be there, and the tap none of its ports: it was made anew, or others took that out.
 */
static bool is_where_wanted(const struct tap *tap)
{
    const struct netif *bridge = netifs_find(tap->taps->host.netifs, tap->config.bridge);
    const struct netif *netif = netif_of(tap);

    return !tap->config.bridge[0] || (netif && bridge && netif->master == bridge->ifindex);
}

/* --- Closing ------------------------------------------------------------------------------- */

/* The keeper deletes what has this index, which others cannot give to another interface as they can
 * a name, and forgets the lifeline of this name. 0: there is no interface any more. */
static void tell_closed(const struct taps *taps, const char *name, unsigned ifindex)
{
    struct keeper_request request = {.operation = KEEPER_CLOSE_TAP, .ifindex = ifindex};

    memcpy(request.tap.name, name, sizeof request.tap.name);
    keeper_tell(taps->host.keeper, &request);
}

/* Its interface is gone. */
static void end_lifeline(struct tap *tap)
{
    if (tap->lifeline)
        tell_closed(tap->taps, tap->config.name, 0);
    lifeline_end(tap);
}

/* False: it is gone, and the tap is forgotten. */
static bool ask_to_delete(struct tap *tap)
{
    if (netif_of(tap)) {
        tell_closed(tap->taps, tap->config.name, tap->ifindex);
        lifeline_end(tap);
        return true;
    }
    end_lifeline(tap);
    tap_forget(tap);
    return false;
}

/* One that the keeper is asked to make is deleted when it has answered. */
void tap_release(struct resource *resource)
{
    struct tap *tap = tap_of_resource(resource);

    if (tap->state != TAP_OPENING)
        tell(tap, TAP_CLOSED_EVENT);
    tap_set_state(tap, TAP_CLOSING);
    if (tap->ifindex)
        ask_to_delete(tap);
    else if (!tap->asked)
        tap_forget(tap);
}

void tap_lose_holder(struct tap *tap)
{
    log_line(LOG_DEBUG, "tap %s has no holder any more.", tap->config.name);
    resource_end_leases(tap->taps->host.leases, &tap->resource);
    tap_release(&tap->resource);
}

/* Whoever did that: its holder, by his end, or the administrator. */
static void lose(struct tap *tap)
{
    if (tap->attempts > 0 && (tap->state == TAP_OPENING || tap->asked)) {
        tap->ifindex = 0; /* the keeper's answer, which is to come, says what there is */
        return;
    }
    end_lifeline(tap);
    if (tap->state != TAP_CLOSING) {
        log_line(LOG_DEBUG, "tap %s is gone.", tap->config.name);
        tell(tap, TAP_CLOSED_EVENT);
        resource_end_leases(tap->taps->host.leases, &tap->resource);
    }
    tap_forget(tap);
}

/* --- Opening ------------------------------------------------------------------------------- */

static const struct refusal {
    int error;
    enum error_code code;
    const char *field;
    const char *text;
} refusals[] = {
    {-EBUSY, ERROR_IN_USE, "name", "there is an interface of this name"},
    {-EADDRINUSE, ERROR_IN_USE, "hosts", "the host has another address of that network"},
    {-EEXIST, ERROR_IN_USE, "routes", "the host has a route to that network already"},
    {-EACCES, ERROR_NOT_ALLOWED, NULL, "netbrokerd.conf(5) does not allow it"},
    {-ENODEV, ERROR_NOT_FOUND, "bridge", "there is no such bridge"},
    {-EAGAIN, ERROR_LIMIT, NULL, "too many are being opened; try again later"},
    {-ENOENT, ERROR_UNSUPPORTED, NULL, "there is no /dev/net/tun"},
    {-ENXIO, ERROR_UNSUPPORTED, NULL, "there is no driver for /dev/net/tun"},
    {-EPERM, ERROR_UNSUPPORTED, NULL, "/dev/net/tun is not for the service"},
    {-EROFS, ERROR_UNSUPPORTED, NULL, "the service cannot write to /proc/sys/net"},
};

/* The same of a tap on an uplink, before those. */
static const struct refusal on_uplink[] = {
    {-EADDRINUSE, ERROR_IN_USE, "mac", "its uplink has a station of that address already"},
    {-ENODEV, ERROR_NOT_FOUND, "uplink", "there is no such uplink"},
    {-EMLINK, ERROR_IN_USE, "uplink",
     "its uplink gives all that it receives to a bridge, bond or the like already; make it a port "
     "of the bridge (bridge)"},
    {-EMSGSIZE, ERROR_OUT_OF_RANGE, "mtu", "the MTU is more than that of its uplink"},
    {-EPROTOTYPE, ERROR_UNSUPPORTED, "uplink", "its uplink is no Ethernet interface"},
    {-EOPNOTSUPP, ERROR_UNSUPPORTED, "uplink", "the kernel has no driver for it"},
    {-EXDEV, ERROR_UNSUPPORTED, "uplink", "its device node is missing"},
    {-EINPROGRESS, ERROR_UNSUPPORTED, "uplink", "its device node is not for the service"},
    {-EPERM, ERROR_UNSUPPORTED, "uplink", "its device node is not for the service"},
    {-ENFILE, ERROR_LIMIT, "uplink", "there are as many taps on uplinks as may be"},
};

static const struct refusal *find_refusal(const struct refusal *rows, size_t count, int error)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].error == error)
            return &rows[i];
    return NULL;
}

static void explain(const struct tap *tap, const struct keeper_answer *answer, struct error *error)
{
    const struct refusal *refusal = NULL;
    const char *more = answer->text;
    bool has_bridge = tap->call.request.tap.bridge[0];
    int result = answer->error == -ENODEV && !has_bridge ? -ENOENT : answer->error;

    if (tap->config.uplink[0])
        refusal = find_refusal(on_uplink, sizeof on_uplink / sizeof *on_uplink, answer->error);
    if (!refusal)
        refusal = find_refusal(refusals, sizeof refusals / sizeof *refusals, result);
    if (refusal)
        error_set(error, refusal->code, refusal->field, "Tap %s cannot be opened: %s.",
                  tap->config.name, more[0] ? more : refusal->text);
    else
        error_set(error, ERROR_INTERNAL, NULL, "The kernel refused tap %s: %s%s%s.",
                  tap->config.name, strerror(-answer->error), more[0] ? "; " : "", more);
}

/* Nobody asked for it now: it is tried again. */
static void wait_for_next(struct tap *tap, const struct error *error)
{
    bool is_new = tap->state != TAP_WAITING;

    if (!tap->logged)
        log_line(LOG_WARNING, "%s It is tried again every %d seconds.", error->message,
                 RETRY_SECONDS);
    tap->logged = true;
    tap_set_state(tap, TAP_WAITING);
    if (is_new)
        tell(tap, TAP_WAITING_EVENT);
}

static void refuse(struct tap *tap, const struct error *error)
{
    tap->taps->refused++;
    if (tap->state != TAP_CLOSING && tap->remade) {
        wait_for_next(tap, error);
        return;
    }
    if (tap->state != TAP_CLOSING) {
        waiters_resume(&tap->waiters, error);
        resource_end_leases(tap->taps->host.leases, &tap->resource);
    }
    tap_forget(tap);
}

/* The interface is there. Who takes the descriptors does so now: else they are closed, and the
 * kernel tells soon that the interface is gone. */
static void enter_open(struct tap *tap)
{
    bool lacks_bridge = !is_where_wanted(tap);

    tap->taps->opened++;
    tap->logged = false;
    tap_set_state(tap, lacks_bridge ? TAP_WAITING : TAP_OPEN);
    tell(tap, !tap->remade   ? TAP_OPENED_EVENT
              : lacks_bridge ? TAP_WAITING_EVENT
                             : TAP_RESTORED_EVENT);
    waiters_resume(&tap->waiters, NULL);
    tap_close_fds(tap);
}

/* The last one that came is our end of the lifeline. */
static bool take_lifeline(struct tap *tap)
{
    return tap->fd_count == 3 && lifeline_begin(tap, tap->fds[--tap->fd_count]);
}

/* All that the answer brought. Where this process has too many, the kernel gives none or some. */
static bool take_fds(struct tap *tap, int fd)
{
    bool lasts = tap->config.flags & TAP_PERSISTENT;

    tap->fd_count = tap->fd_taken = 0;
    for (; fd >= 0 && tap->fd_count < TAP_QUEUES_MAX; fd = keeper_take_more(tap->taps->host.keeper))
        tap->fds[tap->fd_count++] = fd;
    if (tap->config.uplink[0])
        return take_lifeline(tap);
    if (lasts)
        tap_close_fds(tap);
    return lasts || tap->fd_count == tap->config.queues;
}

static void take(struct tap *tap, int fd)
{
    bool all = take_fds(tap, fd);
    const struct netif *netif;
    struct error error;

    netifs_update(tap->taps->host.netifs);
    netif = netifs_find_made(tap->taps->host.netifs, tap->config.name);
    tap->ifindex = netif ? netif->ifindex : 0;
    if (tap->state == TAP_CLOSING) {
        tap_close_fds(tap);
        ask_to_delete(tap);
    } else if (netif && all) {
        enter_open(tap);
    } else {
        error_set(&error, all ? ERROR_INTERNAL : ERROR_LIMIT, NULL,
                  all ? "Tap %s was deleted at once, not by the service."
                      : "The service has no room for the descriptors of tap %s; try again later.",
                  tap->config.name);
        if (tap->config.uplink[0]) /* which stays without descriptors */
            tell_closed(tap->taps, tap->config.name, tap->ifindex);
        refuse(tap, &error);
    }
}

/* It is made, and its device is not yet the service's. False: that takes too long. */
static bool wait_for_device(struct tap *tap, const struct keeper_answer *answer)
{
    const struct netif *netif;

    if (answer->error != -EINPROGRESS)
        return false;
    netifs_update(tap->taps->host.netifs);
    netif = netifs_find_made(tap->taps->host.netifs, tap->config.name);
    if (tap->state != TAP_CLOSING && netif && lifelines_try_again(tap)) {
        tap->ifindex = netif->ifindex; /* its lease may end meanwhile */
        return true;
    }
    tell_closed(tap->taps, tap->config.name, netif ? netif->ifindex : 0);
    return false;
}

/* Meanwhile it is not freed, whatever those do who waited. */
static void opened(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct tap *tap = tap_of_call(call);
    struct error error;

    if (wait_for_device(tap, answer)) {
        /* it is asked again */
    } else if (answer->error < 0 && answer->error != -ECANCELED) {
        tap->ifindex = 0; /* of a macvtap that was made before its device was refused */
        explain(tap, answer, &error);
        refuse(tap, &error);
    } else if (answer->error == 0) {
        take(tap, fd);
    }
    tap_answered(tap);
}

void tap_ask(struct tap *tap)
{
    struct keeper_request request = {.operation = KEEPER_OPEN_TAP, .tap = tap->config};

    if (!netifs_find(tap->taps->host.netifs, tap->config.bridge))
        memset(request.tap.bridge, 0, sizeof request.tap.bridge);
    if (!request.tap.bridge[0] && !request.tap.uplink[0])
        request.tap.flags &= ~(unsigned)TAP_ISOLATED;
    stock_take(&tap->taps->stock, &request.tap);
    tap->call.request = request;
    tap->call.done = opened;
    tap->asked = true;
    keeper_ask(tap->taps->host.keeper, &tap->call);
}

void taps_try_again(struct taps *taps)
{
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->state == TAP_OPENING && tap->attempts > 0 && !tap->asked)
            tap_ask(tap);
}

/* --- Bridges ------------------------------------------------------------------------------- */

static bool has_bridge(const struct tap *tap)
{
    return netifs_find(tap->taps->host.netifs, tap->config.bridge) != NULL;
}

static void enter_joined(struct tap *tap)
{
    netifs_update(tap->taps->host.netifs);
    if (tap->state != TAP_WAITING || !is_where_wanted(tap))
        return;
    tap->logged = false;
    tap_set_state(tap, TAP_OPEN);
    tell(tap, TAP_RESTORED_EVENT);
}

static void joined(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct tap *tap = tap_of_call(call);

    (void)fd;
    if (answer->error == 0)
        enter_joined(tap);
    else if (answer->error != -ECANCELED && !tap->logged && !tap->forgotten) {
        tap->logged = true;
        log_line(LOG_WARNING,
                 "tap %s cannot become a port of %s: %s. It is tried again every %d "
                 "seconds.",
                 tap->config.name, tap->config.bridge, strerror(-answer->error), RETRY_SECONDS);
    }
    tap_answered(tap);
}

/* Goes on with one that waits, if there is something to be done. */
static void go_on(struct tap *tap)
{
    const struct netif *netif = netif_of(tap);
    struct keeper_request request = {.operation = KEEPER_JOIN_TAP};

    if (tap->asked)
        return;
    if (!tap->ifindex) {
        tap_ask(tap);
        return;
    }
    if (!netif || !has_bridge(tap) || !tap_name_is_allowed(tap->taps->prefix, netif->name))
        return;
    memcpy(request.tap.name, netif->name, sizeof request.tap.name);
    memcpy(request.tap.bridge, tap->config.bridge, sizeof request.tap.bridge);
    request.tap.flags = tap->config.flags & TAP_ISOLATED;
    tap->call.request = request;
    tap->call.done = joined;
    tap->asked = true;
    keeper_ask(tap->taps->host.keeper, &tap->call);
}

/* --- Interfaces come and go ---------------------------------------------------------------- */

static void lose_netif(struct taps *taps, const struct netif *netif)
{
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->ifindex == netif->ifindex) {
            lose(tap);
            waiters_resume(&taps->full, NULL);
            return;
        }
}

static void wait_for_bridge(struct tap *tap)
{
    tap_set_state(tap, TAP_WAITING);
    tell(tap, TAP_WAITING_EVENT);
}

static void lose_bridge(struct taps *taps, const char *name)
{
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->state == TAP_OPEN && strcmp(tap->config.bridge, name) == 0)
            wait_for_bridge(tap);
}

/* Others have made it a port of something else, or of nothing. Where they make it one of its
 * bridge, it is asked for all the same: they know nothing of its isolation. */
static void follow_master(struct taps *taps, const struct netif *is)
{
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->ifindex == is->ifindex && tap->config.bridge[0]) {
            if (tap->state == TAP_OPEN && !is_where_wanted(tap))
                wait_for_bridge(tap);
            else if (tap->state == TAP_WAITING && is_where_wanted(tap))
                go_on(tap);
            return;
        }
}

static void take_bridge(struct taps *taps, const char *name)
{
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->state == TAP_WAITING && strcmp(tap->config.bridge, name) == 0)
            go_on(tap);
}

void taps_netif_changed(struct taps *taps, const struct netif *was, const struct netif *is)
{
    bool same = was && is && was->ifindex == is->ifindex;

    stock_netif_changed(&taps->stock, was, is);
    if (was && !same)
        lose_netif(taps, was);
    if (same && was->master != is->master)
        follow_master(taps, is);
    if (same && strcmp(was->name, is->name) == 0)
        return;
    if (was)
        lose_bridge(taps, was->name);
    if (is && taps->waiting > 0)
        take_bridge(taps, is->name);
}

/* The keeper may have had too much to delete, and what it does twice is the same. */
void taps_tick(struct taps *taps)
{
    struct tap *tap;

    stock_tick(&taps->stock);
    taps->seconds++;
    waiters_resume(&taps->full, NULL);
    if (taps->seconds % RETRY_SECONDS != 0)
        return;
    TAILQ_FOREACH (tap, &taps->order, in_order) {
        if (tap->state == TAP_WAITING)
            go_on(tap);
        else if (tap->state == TAP_CLOSING && tap->ifindex && !ask_to_delete(tap))
            return; /* who waited for its name may have changed the list */
    }
}

/* --- Restoring ----------------------------------------------------------------------------- */

/* The interface was there before this broker. A port is joined again in any case: nothing tells
 * whether it is isolated still, and a broker that was taken may have changed that. */
static void adopt(struct tap *tap, const struct netif *netif)
{
    tap->ifindex = netif->ifindex;
    if (tap->config.uplink[0] || tap->uid == LEASE_UID_UNKNOWN)
        lifelines_adopt(tap);
    tap_set_state(tap, TAP_OPEN);
    if (!tap->config.bridge[0])
        return;
    if (!is_where_wanted(tap))
        tap_set_state(tap, TAP_WAITING); /* it was made anew, or is missing */
    go_on(tap);
}

/* A macvtap whose lifeline did not come over has lost its holder's end as well. */
static bool has_lifeline(const struct taps *taps, const struct tap_config *config)
{
    return !config->uplink[0] || lifelines_have(&taps->lifelines, config->name);
}

/* It may be called otherwise by now, and its name may be another's. A spare was not handed over
 * before that broker ended, or it would be none. */
enum restoring taps_restore(struct taps *taps, const struct tap_config *config,
                            const struct holder *holder, struct error *error)
{
    const struct netif *netif = netifs_find_made(taps->host.netifs, config->name);
    bool persistent = config->flags & TAP_PERSISTENT;
    struct tap *tap;

    if (!config->name[0] || taps_find_tap(taps, config->name) ||
        (persistent && holder->lease.uid == LEASE_UID_UNKNOWN)) {
        error_set(error, ERROR_IN_USE, NULL, "The tap '%s' is somebody's already, or nobody's.",
                  config->name);
        return RESTORE_REFUSED;
    }
    if (!persistent &&
        (!netif || stock_find(&taps->stock, config->name) || !has_lifeline(taps, config))) {
        log_line(LOG_INFO, "tap %s ended before this broker began.", config->name);
        return RESTORE_GONE;
    }
    tap = taps_add(taps, config, holder, error);
    if (!tap)
        return RESTORE_REFUSED;
    tap->remade = true;
    if (netif)
        adopt(tap, netif);
    else
        tap_ask(tap);
    return RESTORE_DONE;
}

/* Whether the service made it, and it is none of the spares, nor of a lease. */
static bool is_left(const struct taps *taps, const struct netif *netif)
{
    const struct tap *tap = taps_find_tap(taps, netif->made_as);

    return tap_name_is_allowed(taps->prefix, netif->made_as) &&
           !stock_find(&taps->stock, netif->made_as) && !(tap && tap->ifindex == netif->ifindex);
}

/* Nobody's, so that only an administrator may close it. */
static void hold_as_found(struct taps *taps, const struct netif *netif)
{
    struct args_open_tap args = {.mtu = TAP_MTU_DEFAULT, .queues = 1};
    struct holder holder = {
        .kind = HOLDER_USER,
        .lease = lease_prepare(taps->host.leases, LEASE_UID_UNKNOWN),
    };
    struct tap_config config;
    struct error error;
    struct tap *tap;

    memcpy(args.name.text, netif->made_as, sizeof args.name.text);
    config = tap_config_of(&args, 0);
    tap = taps_find_tap(taps, config.name) ? NULL : taps_add(taps, &config, &holder, &error);
    if (tap)
        adopt(tap, netif);
}

void taps_settle(struct taps *taps, bool whole)
{
    const struct netif *netif = NULL;

    while ((netif = netifs_next(taps->host.netifs, netif))) {
        if (!is_left(taps, netif))
            continue;
        if (whole)
            tell_closed(taps, netif->made_as, netif->ifindex);
        else
            hold_as_found(taps, netif);
    }
    lifelines_settle(&taps->lifelines);
    stock_begin(&taps->stock);
}
