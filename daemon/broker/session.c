#include "session_internal.h"

#include "log.h"
#include "staging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOLDS_AT_ONCE = 64 };

static struct users *users_of(const struct session *session)
{
    return &session->host.services->users;
}

/* Where memory is short, those who have read all that was written may go on. */
static bool may_write(const struct session *session)
{
    return session->out.length == 0 ||
           (session->out.length < OUT_PAUSE && users_may_queue(users_of(session), session->user));
}

static bool may_take(const struct session *session)
{
    return !session->ending && !session->producer && !session->deferral && may_write(session) &&
           users_may_request(users_of(session), session->user);
}

bool session_is_subscribed(const struct session *session)
{
    return session->subscription && session->subscription->subscriber.subscribed;
}

static void count_queued(struct session *session)
{
    size_t now = session->out.capacity;

    if (session->subscription)
        now += session->subscription->subscriber.queue.capacity;
    if (session->staging)
        now += session->staging->bytes;
    users_count_queued(users_of(session), session->user, session->queued, now);
    session->queued = now;
}

/* --- The end ------------------------------------------------------------------------------- */

static void free_session(uv_handle_t *handle)
{
    struct session *session = handle->data;

    close(session->fd);
    peer_release(&session->peer);
    intake_clear(&session->intake);
    json_clear(&session->out);
    free(session->subscription);
    free(session);
}

/* What others may have from now on. */
static void give_back(struct session *session)
{
    struct sessions *sessions = &session->host.services->sessions;

    LIST_REMOVE(session, in_sessions);
    sessions->count--;
    users_count_queued(users_of(session), session->user, session->queued, 0);
    users_disconnect(users_of(session), session->user);
}

static enum slice_step end_hold(struct slice_job *job)
{
    struct session_end *end = (struct session_end *)job;
    struct hold *hold = LIST_FIRST(&end->holds);

    if (!hold)
        return SLICE_DONE;
    hold->holding->class->session_ended(hold);
    return SLICE_MORE;
}

static void free_end(struct slice_job *job)
{
    free(job);
}

/* The first few end here and now. */
static void end_holds(struct session *session)
{
    struct session_end *end = session->end;

    for (int i = 0; i < HOLDS_AT_ONCE; i++)
        if (end_hold(&end->job) == SLICE_DONE) {
            free(end);
            return;
        }
    end->job = (struct slice_job){.step = end_hold, .end = free_end};
    slices_add(&session->host.services->slices, &end->job);
}

void session_close(struct session *session)
{
    if (session->closed)
        return;
    session->closed = true;
    if (session->subscription)
        events_unsubscribe(session->host.events, &session->subscription->subscriber);
    if (session->deferral) {
        session->deferral->cancel(session->deferral);
        free(session->deferral->id);
        free(session->deferral);
    }
    if (session->producer)
        session->producer->destroy(session->producer);
    session_end_staging(session);
    end_holds(session);
    give_back(session);
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

void session_refuse_stream(struct session *session, enum error_code code, const char *message)
{
    struct call call = make_call(session);
    struct error error;

    error_set(&error, code, NULL, "%s", message);
    reply_error(&call, &error);
    session->ending = true;
}

/* A reply that memory cut short is replaced by one that says so; before is what stood before it. */
static void check_reply(struct session *session, size_t before)
{
    if (!session->out.failed)
        return;
    json_cut(&session->out, before);
    session_refuse_stream(session, ERROR_NO_MEMORY,
                          "The reply is too large for the memory that one client may use.");
}

static void perform(struct session *session, const char *bytes, size_t n)
{
    struct call call = make_call(session);
    size_t before = session->out.length;

    users_count_request(session->user);
    session->host.services->requests++;
    session->ages[WAIT_REST] = session->ages[WAIT_REQUEST] = 0;
    dispatch_request(&call, bytes, n);
    check_reply(session, before);
}

/* Performs the next request, if it is whole. */
static bool take_request(struct session *session)
{
    const char *bytes;
    size_t length;

    switch (intake_next(&session->intake, &bytes, &length)) {
    case INTAKE_REQUEST:
        perform(session, bytes, length);
        return true;
    case INTAKE_GARBAGE:
        session_refuse_stream(
            session, ERROR_INVALID_JSON,
            "A request is one JSON object such as {\"action\": \"PING\"}, and does not begin "
            "like this. The connection ends here.");
        return false;
    case INTAKE_TOO_LARGE:
        session_refuse_stream(session, ERROR_TOO_LARGE,
                              "A request has at most 16384 bytes; send several smaller "
                              "requests. The connection ends here.");
        return false;
    case INTAKE_STARVED:
        return false;
    }
    return false;
}

/* Reads once. False when the connection is broken. */
static bool read_input(struct session *session)
{
    int result = intake_read(&session->intake, session->fd);

    if (result > 0)
        session->host.before_requests(session->host.services);
    return result >= 0;
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
    if (!may_write(session))
        return;
    if (session->producer && !session->producer->more(session->producer, &session->out))
        end_producer(session);
    if (!session->producer && session_is_subscribed(session))
        events_take(&session->subscription->subscriber, &session->out);
}

/* Sends what the socket takes. False when the connection is broken.
 * #syscalls broker: send sendto close */
static bool flush_output(struct session *session)
{
    struct json *out = &session->out;

    if (out->length == 0)
        return true;

    ssize_t sent = send(session->fd, out->text, out->length, 0);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    session->ages[WAIT_READER] = 0;
    out->length -= (size_t)sent;
    memmove(out->text, out->text + sent, out->length);
    if (out->length == 0 && !session->producer) /* which goes on where its text ended */
        json_clear(out);
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;
    bool intact = status == 0;

    if (intact && events & UV_READABLE)
        intact = read_input(session);
    while (intact && may_take(session) && !session->intake.starved && take_request(session))
        ;
    intake_compact(&session->intake);
    if (intact) {
        fill_output(session); /* a piece that memory cut short cannot be mended: the rest is gone */
        intact = !session->out.failed && flush_output(session);
    }
    if (!intact)
        session_close(session);
    else
        session_watch(session);
}

static bool is_over(const struct session *session)
{
    return session->out.length == 0 && !session->producer && !session->deferral &&
           (session->ending || (session->intake.ended && session->intake.starved));
}

static bool has_news(const struct session *session)
{
    const struct subscription *subscription = session->subscription;

    return subscription &&
           (subscription->subscriber.queue.length > 0 || subscription->subscriber.lost > 0);
}

static int wanted_events(const struct session *session)
{
    bool takes = may_take(session);
    int events = 0;

    if (takes && session->intake.starved && !session->intake.ended)
        events |= UV_READABLE;
    if (session->out.length > 0 || session->producer || has_news(session) ||
        (takes && !session->intake.starved))
        events |= UV_WRITABLE;
    return events;
}

void session_watch(struct session *session)
{
    int events = wanted_events(session);

    if (is_over(session)) {
        session_close(session);
        return;
    }
    count_queued(session);
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
    struct session *session = ((struct subscription *)subscriber)->session;

    if (!session->closed)
        session_watch(session);
}

static bool has_memory(const struct subscriber *subscriber)
{
    const struct session *session = ((const struct subscription *)subscriber)->session;

    return users_may_queue(users_of(session), session->user);
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

static void answer_again(struct call *call, const void *error)
{
    if (error)
        reply_error(call, error);
    else
        dispatch_again(call);
}

void session_resume(struct deferral *deferral, const struct error *error)
{
    session_answer(deferral, answer_again, error);
}

void session_answer(struct deferral *deferral, void (*answer)(struct call *call, const void *what),
                    const void *what)
{
    struct session *session = deferral->session;
    size_t before = session->out.length;

    session->deferral = NULL;
    answer(&deferral->call, what);
    check_reply(session, before);
    free(deferral->id);
    free(deferral);
    session_watch(session);
}

/* --- The beginning ------------------------------------------------------------------------- */

static void add_to_list(struct session *session)
{
    struct sessions *sessions = &session->host.services->sessions;

    LIST_INSERT_HEAD(&sessions->list, session, in_sessions);
    sessions->count++;
}

struct session *session_new(const struct session_host *host, int fd, const struct peer *peer)
{
    struct session *session = calloc(1, sizeof *session);
    struct session_end *holds = calloc(1, sizeof *holds);
    struct account *user = users_connect(&host->services->users, peer->uid);

    if (!session || !holds || !user || uv_poll_init(host->loop, &session->poll, fd) < 0) {
        if (user)
            users_disconnect(&host->services->users, user);
        free(session);
        free(holds);
        close(fd);
        return NULL;
    }
    session->host = *host;
    session->end = holds;
    session->user = user;
    session->fd = fd;
    session->peer = *peer; /* with its groups */
    intake_init(&session->intake);
    session->out.limit = OUT_MAX;
    session->poll.data = session;
    add_to_list(session);
    session_watch(session);
    return session;
}

struct session_holds *session_holds(struct session *session)
{
    return &session->end->holds;
}

struct staging **session_staging(struct session *session)
{
    return &session->staging;
}

void session_end_staging(struct session *session)
{
    staging_free(session_take_staging(session));
}

struct staging *session_take_staging(struct session *session)
{
    struct staging *staging = session->staging;

    session->staging = NULL;
    return staging;
}

/* Half of what the user may queue is left for replies. */
bool session_may_stage(const struct session *session)
{
    const struct users *users = users_of(session);

    return session->user->queued < users->limits.queued_bytes_per_user / 2 &&
           users->queued < users->limits.queued_bytes / 2;
}

void session_note_refusal(struct session *session, enum action action)
{
    if (action == ACTION_COMMIT)
        session_end_staging(session);
    if (session->staging)
        session->staging->failed = true;
}

struct subscriber *session_subscriber(struct session *session)
{
    if (!session->subscription) {
        session->subscription = calloc(1, sizeof *session->subscription);
        if (!session->subscription)
            return NULL;
        session->subscription->session = session;
        session->subscription->subscriber.wake = wake_subscriber;
        session->subscription->subscriber.has_memory = has_memory;
    }
    return &session->subscription->subscriber;
}
