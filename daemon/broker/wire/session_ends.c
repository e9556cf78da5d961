/* Why sessions end that do not end by themselves: what they wait for takes too long, or the policy
 * does not let them listen any more. And what ends with a session. */
#include "farewell.h"
#include "session_internal.h"

#include "log.h"

#include <stdlib.h>

/* --- Leases -------------------------------------------------------------------------------- */

/* Some five of them; the rest is for a job. */
enum { LEASES_END_NS = 20 * 1000 };

static enum slice_step end_lease(struct slice_job *job)
{
    struct session_end *end = (struct session_end *)job;
    struct lease *lease = TAILQ_FIRST(&end->leases);

    if (!lease)
        return SLICE_DONE;
    lease_end(end->registry, lease);
    return SLICE_MORE;
}

static void free_end(struct slice_job *job)
{
    free(job);
}

/* The first few end here and now. */
void session_end_leases(struct session *session)
{
    struct session_end *end = session->end;
    uint64_t until = uv_hrtime() + LEASES_END_NS;

    do
        if (end_lease(&end->job) == SLICE_DONE) {
            free(end);
            return;
        }
    while (uv_hrtime() < until);
    end->job = (struct slice_job){.step = end_lease, .end = free_end};
    slices_add(&session->host.services->slices, &session->user->work, &end->job);
}

/* --- Waits that take too long -------------------------------------------------------------- */

/* A socket that holds much for its reader is not writable, even where it would still take more. */
static bool is_waiting(const struct session *session, enum wait wait)
{
    if (wait == WAIT_MEMORY)
        return session_waits_for_memory(session);
    if (wait == WAIT_READER)
        return session->watched & UV_WRITABLE || session_has_unread_fds(session);
    if (turn_waits(&session->turn) || (session->watched != UV_READABLE && !session->intake.stopped))
        return false; /* it is the reader's turn, or ours */
    if (wait == WAIT_REST)
        return intake_is_inside(&session->intake);
    return !intake_is_inside(&session->intake) && !session_is_subscribed(session) &&
           TAILQ_EMPTY(&session->end->leases);
}

/* Who waits for memory learns whose it is. */
static void say_whose_memory(struct session *session)
{
    struct users *users = &session->host.services->users;
    struct error error;

    if (users_explain_memory(users, session->user, REQUEST_MAX, &error))
        return; /* there is some again */
    if (session->producer)
        session_break_off(session, error.code, error.message);
    else
        session_refuse_stream(session, error.code, error.message);
}

/* Whoever is not waited for any more reads why, as the last that there is to read. */
static void say_why(struct session *session, enum wait wait)
{
    static const char *const reasons[] = {
        [WAIT_REST] = "The end of the request did not arrive in time. The connection ends here.",
        [WAIT_REQUEST] = "No request arrived for as long as a connection may be idle "
                         "(idle-seconds of netbrokerd.conf(5)). The connection ends here.",
        [WAIT_READER] = "Nothing was read of the replies for as long as they may wait "
                        "(reply-seconds of netbrokerd.conf(5)). The rest of them is lost; the "
                        "connection ends here.",
    };

    if (wait == WAIT_MEMORY)
        say_whose_memory(session);
    else if (wait == WAIT_READER)
        session_break_off(session, ERROR_TOO_SLOW, reasons[wait]);
    else
        session_refuse_stream(session, ERROR_TOO_SLOW, reasons[wait]);
}

static void end_wait(struct session *session, enum wait wait)
{
    static const char *const words[] = {
#define W(name, limit, word) word,
        WAITS(W)
#undef W
    };

    session->host.services->sessions.ended[wait]++;
    log_line(LOG_DEBUG, "connection of uid %u, pid %d ends: %s.", (unsigned)session->peer.uid,
             (int)session->peer.pid, words[wait]);
    if (session->ending) /* it was told before, and has not read that */
        session_close(session);
    else
        say_why(session, wait);
    if (!session->closed)
        session_watch(session);
}

static void tick(struct session *session, const unsigned *most)
{
    for (enum wait wait = 0; wait < WAIT_COUNT && !session->closed; wait++) {
        session->ages[wait] = is_waiting(session, wait) ? session->ages[wait] + 1 : 0;
        if (session->ages[wait] > most[wait])
            end_wait(session, wait);
    }
    if (!session->closed)
        session_go_on(session); /* its user may ask again */
}

void sessions_tick(struct services *services)
{
    const struct limits *limits = &services->users.limits;
    const unsigned most[] = {
#define W(name, limit, word) limits->limit,
        WAITS(W)
#undef W
    };
    struct session *session, *next;

    users_next_second(&services->users);
    farewells_tick(services);
    for (session = LIST_FIRST(&services->sessions.list); session; session = next) {
        next = LIST_NEXT(session, in_sessions);
        tick(session, most);
    }
}

/* --- The policy ---------------------------------------------------------------------------- */

static bool may_subscribe(const struct session *session)
{
    const char *verb = action_row(ACTION_SUBSCRIBE)->policy;
    struct target everything = {0};

    return policy_decide(&session->host.services->policy, &session->peer, verb, &everything)
        .allowed;
}

/* The policy may name others now, and the system's files may have changed. */
static bool is_same_user(const struct session *session)
{
    const struct services *services = session->host.services;
    struct peer peer = session->peer; /* its groups are not touched */
    struct error ignored;

    return identity_settle(&services->identity, &services->policy, &peer, &ignored) &&
           peer.uid == session->peer.uid;
}

void sessions_check_policy(struct services *services)
{
    struct session *session, *next;

    for (session = LIST_FIRST(&services->sessions.list); session; session = next) {
        next = LIST_NEXT(session, in_sessions);
        if (!is_same_user(session))
            session_break_off(session, ERROR_NOT_ALLOWED,
                              "You are another user to the service now than when you connected. "
                              "The connection ends here.");
        else if (session_is_subscribed(session) && !may_subscribe(session))
            session_break_off(session, ERROR_NOT_ALLOWED,
                              "The policy does not allow you any more to subscribe. The "
                              "connection ends here.");
    }
}
