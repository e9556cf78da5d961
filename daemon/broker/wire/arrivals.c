#include "arrivals.h"

#include "received.h"

#include <stdlib.h>
#include <unistd.h>

/* What it takes to accept a connection and to end it: the time of no turn. */
enum { ARRIVAL_NS = 10 * 1000 };

struct arrival {
    struct turn turn; /* first */
    LIST_ENTRY(arrival) in_arrivals;
    struct arrivals *arrivals;
    struct account *user; /* held */
    enum users_place place;
    int fd; /* owned until it is opened */
    struct peer peer;
};

/* What descriptors were sent on it, the closer has to close.
 * #syscalls broker: close */
static void hang_up(struct services *services, uid_t uid, int fd)
{
    bool passes = peer_passes_descriptors(fd);
    struct account *user = passes ? users_connect(&services->users, uid) : NULL;

    if (user)
        received_end_connection(services, user, fd, passes);
    else
        close(fd);
}

/* --- In the turns of the user -------------------------------------------------------------- */

static void open_arrival(struct turn *turn)
{
    struct arrival *arrival = (struct arrival *)turn;
    const struct arrivals_host *host = &arrival->arrivals->host;

    users_leave_place(&host->services->users, arrival->user, arrival->place);
    arrival->place = USERS_PLACE_NONE;
    host->open(host->context, arrival->fd, &arrival->peer);
}

static void free_arrival(struct arrival *arrival)
{
    struct users *users = &arrival->arrivals->host.services->users;

    users_leave_place(users, arrival->user, arrival->place);
    LIST_REMOVE(arrival, in_arrivals);
    pools_let_go(&users->pools, arrival->user);
    free(arrival);
}

static void settle_arrival(struct turn *turn)
{
    struct arrival *arrival = (struct arrival *)turn;
    const struct arrivals_host *host = &arrival->arrivals->host;

    free_arrival(arrival);
    host->settled(host->context);
}

/* --- The beginning and the end ------------------------------------------------------------- */

void arrivals_init(struct arrivals *arrivals, const struct arrivals_host *host)
{
    *arrivals = (struct arrivals){.host = *host};
    LIST_INIT(&arrivals->list);
}

static bool wait_for_turn(struct arrivals *arrivals, struct account *user, int fd,
                          const struct peer *peer)
{
    struct services *services = arrivals->host.services;
    enum users_place place = users_take_place(&services->users, user);
    struct arrival *arrival = place == USERS_PLACE_NONE ? NULL : malloc(sizeof *arrival);

    if (!arrival) {
        users_leave_place(&services->users, user, place);
        return false;
    }
    *arrival = (struct arrival){
        .turn = {.take = open_arrival, .settle = settle_arrival},
        .arrivals = arrivals,
        .user = user,
        .place = place,
        .fd = fd,
        .peer = *peer,
    };
    pools_hold(user);
    LIST_INSERT_HEAD(&arrivals->list, arrival, in_arrivals);
    turns_enter(&services->turns, &arrival->turn, user);
    return true;
}

void arrivals_add(struct arrivals *arrivals, int fd, const struct peer *peer)
{
    struct services *services = arrivals->host.services;
    struct account *user = pools_open(&services->users.pools, peer->uid);

    if (user)
        users_charge_time(user, ARRIVAL_NS);
    if (!user || !wait_for_turn(arrivals, user, fd, peer))
        hang_up(services, peer->uid, fd);
}

/* Who is not known by what was read may be new. */
void arrivals_take(struct arrivals *arrivals, int fd)
{
    struct services *services = arrivals->host.services;
    struct peer peer;
    struct error ignored;

    if (peer_identify(fd, &peer) < 0) {
        closer_take(&services->closer, NULL, &(struct closing){.fd = fd});
        return;
    }
    if (!identity_settle_read(&services->identity, &services->policy, &peer))
        identity_settle(&services->identity, &services->policy, &peer, &ignored);
    arrivals_add(arrivals, fd, &peer);
}

void arrivals_stop(struct arrivals *arrivals)
{
    struct services *services = arrivals->host.services;
    struct arrival *arrival, *next;

    for (arrival = LIST_FIRST(&arrivals->list); arrival; arrival = next) {
        next = LIST_NEXT(arrival, in_arrivals);
        turns_leave(&services->turns, &arrival->turn);
        hang_up(services, arrival->user->uid, arrival->fd);
        free_arrival(arrival);
    }
}
