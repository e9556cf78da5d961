#include "session.h"

#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
    struct session_host host;
    uv_poll_t poll;
    int fd;
    int watched; /* the events that poll waits for */
    struct peer peer;

    char *in;                      /* REQUEST_MAX bytes, owned; NULL while nothing is in it */
    size_t start, scanned, length; /* of the request that is being read, and of all there is */
    struct scan scan;
    bool starved; /* the bytes there hold no whole request */
    bool eof;     /* the client sends no more */

    struct json out; /* what the client has yet to read */
    bool ending;     /* nothing more is taken; the end comes when the client has read all */
    bool closed;

    struct producer *producer; /* owned */
    struct deferral *deferral; /* owned */
    struct subscriber subscriber;
};

static bool may_take(const struct session *session)
{
    return !session->ending && !session->producer && !session->deferral &&
           session->out.length < OUT_PAUSE;
}

/* --- The end ------------------------------------------------------------------------------- */

static void free_session(uv_handle_t *handle)
{
    struct session *session = handle->data;

    close(session->fd);
    peer_release(&session->peer);
    free(session->in);
    json_clear(&session->out);
    free(session);
}

void session_close(struct session *session)
{
    if (session->closed)
        return;
    session->closed = true;
    events_unsubscribe(session->host.events, &session->subscriber);
    if (session->deferral) {
        session->deferral->cancel(session->deferral);
        free(session->deferral->id);
        free(session->deferral);
    }
    if (session->producer)
        session->producer->destroy(session->producer);
    session->host.closed(session->host.context, session);
    uv_poll_stop(&session->poll);
    uv_close((uv_handle_t *)&session->poll, free_session);
}

/* --- Requests ------------------------------------------------------------------------------ */

static struct call make_call(struct session *session)
{
    return (struct call){
        .peer = &session->peer,
        .out = &session->out,
        .services = session->host.services,
        .session = session,
    };
}

/* What cannot be delimited cannot be passed over: the session ends with the reply. */
static void refuse_stream(struct session *session, enum error_code code, const char *message)
{
    struct call call = make_call(session);
    struct error error;

    error_set(&error, code, NULL, "%s", message);
    reply_error(&call, &error);
    session->ending = true;
}

static void perform(struct session *session, const char *bytes, size_t n)
{
    struct call call = make_call(session);
    size_t before = session->out.length;

    dispatch_request(&call, bytes, n);
    if (!session->out.failed)
        return;
    json_cut(&session->out, before);
    refuse_stream(session, ERROR_NO_MEMORY,
                  "The reply is too large for the memory that one client may use.");
}

/* Drops white space before a request, and says whether there is room for the rest of it. */
static void wait_for_rest(struct session *session)
{
    session->starved = true;
    if (session->scan.depth == 0)
        session->start = session->scanned;
    if (session->scanned - session->start >= REQUEST_MAX)
        refuse_stream(session, ERROR_TOO_LARGE,
                      "A request has 16384 bytes at most; send several smaller ones. The "
                      "connection ends here.");
}

/* Performs the next request, if it is whole. */
static bool take_request(struct session *session)
{
    size_t used = 0;
    enum scan_result result = SCAN_MORE;

    if (session->length > session->scanned) /* else there may be no buffer */
        result = scan_bytes(&session->scan, session->in + session->scanned,
                            session->length - session->scanned, &used);
    session->scanned += used;
    if (result == SCAN_MORE) {
        wait_for_rest(session);
        return false;
    }
    if (result == SCAN_GARBAGE) {
        refuse_stream(session, ERROR_INVALID_JSON,
                      "A request takes one JSON object such as {\"action\": \"PING\"}, and this is "
                      "no beginning of one. The connection ends here.");
        return false;
    }
    size_t start = session->start;

    session->start = session->scanned;
    perform(session, session->in + start, session->scanned - start);
    return true;
}

static void compact_input(struct session *session)
{
    session->length -= session->start;
    session->scanned -= session->start;
    if (session->length == 0) {
        free(session->in);
        session->in = NULL;
    } else if (session->start > 0) {
        memmove(session->in, session->in + session->start, session->length);
    }
    session->start = 0;
}

/* Reads once. False when the connection is broken. */
static bool read_input(struct session *session)
{
    if (!session->in)
        session->in = malloc(REQUEST_MAX);
    if (!session->in || session->length == REQUEST_MAX)
        return session->in != NULL;

    ssize_t length =
        recv(session->fd, session->in + session->length, REQUEST_MAX - session->length, 0);

    if (length > 0) {
        session->length += (size_t)length;
        session->starved = false;
        session->host.before_requests(session->host.services);
    }
    session->eof |= length == 0;
    return length >= 0 || errno == EAGAIN || errno == EINTR;
}

/* --- Replies ------------------------------------------------------------------------------- */

void session_produce(struct session *session, struct producer *producer)
{
    session->producer = producer;
}

static void end_producer(struct session *session)
{
    session->producer->destroy(session->producer);
    session->producer = NULL;
}

/* One slice of a long reply, or the events that wait. */
static void fill_output(struct session *session)
{
    if (session->out.length >= OUT_PAUSE)
        return;
    if (session->producer && !session->producer->more(session->producer, &session->out))
        end_producer(session);
    if (!session->producer && session->subscriber.subscribed)
        events_take(&session->subscriber, &session->out);
}

/* Sends what the socket takes. False when the connection is broken. */
static bool flush_output(struct session *session)
{
    struct json *out = &session->out;

    if (out->length == 0)
        return true;

    ssize_t sent = send(session->fd, out->text, out->length, 0);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    out->length -= (size_t)sent;
    memmove(out->text, out->text + sent, out->length);
    if (out->length == 0 && !session->producer) /* which goes on where its text ended */
        json_clear(out);
    return true;
}

static void watch(struct session *session);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;
    bool intact = status == 0;

    if (intact && events & UV_READABLE)
        intact = read_input(session);
    while (intact && may_take(session) && !session->starved && take_request(session))
        ;
    compact_input(session);
    if (intact) {
        fill_output(session);
        intact = flush_output(session);
    }
    if (!intact)
        session_close(session);
    else
        watch(session);
}

static bool is_over(const struct session *session)
{
    return session->out.length == 0 && !session->producer && !session->deferral &&
           (session->ending || (session->eof && session->starved));
}

/* Waits for what can be done next. */
static void watch(struct session *session)
{
    const struct subscriber *subscriber = &session->subscriber;
    bool takes = may_take(session);
    bool has_news = subscriber->queue.length > 0 || subscriber->lost > 0;
    int events = 0;

    if (is_over(session)) {
        session_close(session);
        return;
    }
    if (takes && session->starved && !session->eof)
        events |= UV_READABLE;
    if (session->out.length > 0 || session->producer || has_news || (takes && !session->starved))
        events |= UV_WRITABLE;
    if (events == session->watched)
        return;
    session->watched = events;
    if (events)
        uv_poll_start(&session->poll, events, on_poll);
    else
        uv_poll_stop(&session->poll);
}

static void wake_subscriber(struct subscriber *subscriber)
{
    struct session *session =
        (struct session *)((char *)subscriber - offsetof(struct session, subscriber));

    if (!session->closed)
        watch(session);
}

/* --- Calls that wait ----------------------------------------------------------------------- */

bool session_defer(struct deferral *deferral, const struct call *call)
{
    struct span *id = &deferral->call.request.id;

    deferral->call = *call;
    deferral->session = call->session;
    deferral->id = NULL;
    if (id->start) {
        deferral->id = malloc(id->length);
        if (!deferral->id)
            return false;
        memcpy(deferral->id, id->start, id->length);
        id->start = deferral->id;
    }
    call->session->deferral = deferral;
    return true;
}

void session_resume(struct deferral *deferral, const struct error *error)
{
    struct session *session = deferral->session;

    session->deferral = NULL;
    if (error)
        reply_error(&deferral->call, error);
    else
        dispatch_again(&deferral->call);
    free(deferral->id);
    free(deferral);
    watch(session);
}

/* --- The beginning ------------------------------------------------------------------------- */

struct session *session_new(const struct session_host *host, int fd, const struct peer *peer)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session || uv_poll_init(host->loop, &session->poll, fd) < 0) {
        free(session);
        close(fd);
        return NULL;
    }
    session->host = *host;
    session->fd = fd;
    session->peer = *peer; /* with its groups */
    session->starved = true;
    session->out.limit = OUT_MAX;
    session->poll.data = session;
    session->subscriber.wake = wake_subscriber;
    watch(session);
    return session;
}

struct subscriber *session_subscriber(struct session *session)
{
    return &session->subscriber;
}
