/* The end of a session: what ends with it, what others may have from then on, and the last words to
 * its client. */
#include "farewell.h"
#include "received.h"
#include "session_internal.h"

#include <stdlib.h>

void session_end_producer(struct session *session)
{
    struct producer *producer = session->producer;

    session->producer = NULL;
    if (producer)
        producer->destroy(producer);
}

static void free_session(uv_handle_t *handle)
{
    struct session *session = handle->data;

    peer_release(&session->peer);
    intake_free(&session->intake);
    json_clear(&session->out);
    free(session->subscription);
    free(session);
}

/* Who was told why it ends, and may be writing, has time to read it. */
static void end_connection(struct session *session)
{
    struct services *services = session->host.services;

    if (session->ending && !session->intake.ended)
        farewell_begin(services, session->host.loop, session->user, session->fd,
                       session->intake.passes);
    else if (session->intake.ended && !session->intake.passes)
        received_end_read_connection(services, session->user, session->fd);
    else
        received_end_connection(services, session->user, session->fd, session->intake.passes);
}

/* What others may have from now on. */
static void give_back(struct session *session)
{
    struct sessions *sessions = &session->host.services->sessions;

    turns_leave(&session->host.services->turns, &session->turn);
    LIST_REMOVE(session, in_sessions);
    sessions->count--;
    users_count_queued(&session->host.services->users, session->user, session->queued, 0);
    intake_end_charge(&session->intake);
    if (session->fd >= 0)
        end_connection(session);
    session->fd = -1;
}

void session_close(struct session *session)
{
    if (session->closed)
        return;
    session->closed = true;
    if (session->subscription)
        events_unsubscribe(&session->host.services->events, &session->subscription->subscriber);
    if (session->pending)
        session->host.cancel(session->pending);
    session_end_producer(session);
    session_end_collected(session);
    session_end_leases(session);
    session_end_fds(session);
    /* Before its descriptor is closed, which another thread may do at once. */
    uv_close((uv_handle_t *)&session->poll, free_session);
    give_back(session);
    session->host.closed(session->host.context, session);
}

void session_break_off(struct session *session, enum error_code code, const char *message)
{
    session_end_producer(session);
    if (!session_has_unread_fds(session))
        session_drop_fds(session);
    json_cut(&session->out, 0);
    if (session->inside)
        json_bytes(&session->out, "\n", 1);
    session_refuse_stream(session, code, message);
    peer_make_room(session->fd);
    session_flush(session);
    session_close(session);
}
