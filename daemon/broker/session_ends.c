/* Why sessions end that do not end by themselves: what they wait for takes too long, or the policy
 * does not let them listen any more. */
#include "session_internal.h"

#include "log.h"

/* A socket that holds much for its reader is not writable, even where it would still take more. */
static bool is_waiting(const struct session *session, enum wait wait)
{
    if (wait == WAIT_READER)
        return session->watched & UV_WRITABLE;
    if (session->watched != UV_READABLE)
        return false; /* it is the reader's turn, or ours */
    if (wait == WAIT_REST)
        return intake_is_inside(&session->intake);
    return !intake_is_inside(&session->intake) && !session_is_subscribed(session) &&
           LIST_EMPTY(&session->end->holds);
}

/* Half a request is answered, so that its author learns why. */
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
    if (wait != WAIT_REST) {
        session_close(session);
        return;
    }
    session_refuse_stream(session, ERROR_TOO_SLOW,
                          "The end of the request did not arrive in time. The connection ends "
                          "here.");
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
        session_watch(session); /* its user may ask again */
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
    for (session = LIST_FIRST(&services->sessions.list); session; session = next) {
        next = LIST_NEXT(session, in_sessions);
        tick(session, most);
    }
}

static bool may_subscribe(const struct session *session)
{
    const char *verb = action_row(ACTION_SUBSCRIBE)->policy;
    struct target everything = {0};

    return policy_decide(&session->host.services->policy, &session->peer, verb, &everything)
        .allowed;
}

void sessions_check_policy(struct services *services)
{
    struct session *session, *next;

    for (session = LIST_FIRST(&services->sessions.list); session; session = next) {
        next = LIST_NEXT(session, in_sessions);
        if (session_is_subscribed(session) && !may_subscribe(session))
            session_close(session);
    }
}
