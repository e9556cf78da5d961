#include "joining.h"

#include "authorise.h"
#include "keeper/kept_joins.h"
#include "log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static void on_idle(uv_idle_t *idle)
{
    struct joining *joining = idle->data;

    if (!joins_work(joining->services->joins))
        uv_idle_stop(idle);
}

static void start_work(void *context)
{
    struct joining *joining = context;

    if (!uv_is_closing((uv_handle_t *)&joining->idle))
        uv_idle_start(&joining->idle, on_idle);
}

static void socket_opened(struct keeper_call *answered, const struct keeper_answer *answer, int fd)
{
    struct joining *joining =
        (struct joining *)((char *)answered - offsetof(struct joining, socket_call));
    uint8_t family = (uint8_t)answered->request.family;
    int result = fd >= 0 ? fd : answer->error;
    struct error error;

    if (result == -ECANCELED)
        return;
    if (result == -ENFILE)
        error_set(&error, ERROR_LIMIT, NULL,
                  "The service keeps at most %d sockets for memberships, each for 20 IPv4 "
                  "groups or 10 IPv4 sources of a group. Delete some joins first.",
                  JOIN_SOCKETS_MAX);
    else if (result < 0)
        error_set(&error, result == -EAFNOSUPPORT ? ERROR_UNSUPPORTED : ERROR_INTERNAL, NULL,
                  "The kernel refused a socket for memberships (%s): %s.", family_name(family),
                  strerror(-result));
    joins_socket_opened(joining->services->joins, family, result, &error);
}

/* The joins ask for one at a time. */
static void open_socket(void *context, uint8_t family)
{
    struct joining *joining = context;

    joining->socket_call.request = (struct keeper_request){
        .operation = KEEPER_OPEN_JOINS,
        .family = family,
    };
    joining->socket_call.done = socket_opened;
    keeper_ask(joining->keeper, &joining->socket_call);
}

static void end_older_sockets(void *context)
{
    struct joining *joining = context;

    keeper_tell(joining->keeper, &(struct keeper_request){.operation = KEEPER_JOINED});
}

static void pass_news(void *context, enum join_news news, const struct join *join)
{
    struct joining *joining = context;

    publish_join(joining->services, news, join);
}

static void tell_refusal(void *context, const struct join *join, const struct error *error)
{
    struct join_view view;
    char text[JOIN_TEXT_MAX];

    (void)context;
    join_describe(join, &view);
    log_line(LOG_WARNING, "the join of %s is not in force: %s", join_key_format(view.key, text),
             error->message);
}

static void count_hold(void *context, const struct join *join, const struct hold *hold)
{
    struct joining *joining = context;

    if (hold->lease.uid != LEASE_UID_UNKNOWN)
        users_hold_lease(&joining->services->users, hold->lease.uid);
    join_record_hold(&joining->record, join, hold);
    joining->host.changed(joining->host.context);
}

static void discount_hold(void *context, const struct join *join, const struct hold *hold)
{
    struct joining *joining = context;

    if (hold->lease.uid != LEASE_UID_UNKNOWN)
        users_release_lease(&joining->services->users, hold->lease.uid);
    join_record_release(&joining->record, hold);
    record_join_release(joining->services, join, &hold->lease);
    joining->host.changed(joining->host.context);
}

bool joining_start(struct joining *joining, uv_loop_t *loop, struct services *services,
                   struct keeper_link *keeper, const struct joining_host *host, uint64_t seed)
{
    struct joins_callbacks callbacks = {
        .open_socket = open_socket,
        .needs_work = start_work,
        .settled = end_older_sockets,
        .news = pass_news,
        .refused = tell_refusal,
        .hold_begins = count_hold,
        .hold_ends = discount_hold,
        .context = joining,
    };

    joining->services = services;
    joining->keeper = keeper;
    joining->host = *host;
    join_record_init(&joining->record, -1);
    services->joins = joins_new(services->links, &callbacks, seed);
    if (!services->joins)
        return false;
    uv_idle_init(loop, &joining->idle);
    joining->idle.data = joining;
    return true;
}

bool joining_record(struct joining *joining, int fd)
{
    join_record_init(&joining->record, fd);
    return join_record_load(&joining->record, joining->services->joins);
}

void joining_loaded(struct joining *joining)
{
    join_record_begin(&joining->record);
    joins_loaded(joining->services->joins);
}

void joining_stop(struct joining *joining)
{
    join_record_clear(&joining->record);
    uv_close((uv_handle_t *)&joining->idle, NULL);
}
