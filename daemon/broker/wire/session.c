#include "pending.h"
#include "received.h"
#include "session_internal.h"

#include "log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPLIES_KEPT = 16 * 1024,
    FIRST_PIECE = 4096, /* what a client older than the service takes in its one receive */
};

static struct users *users_of(const struct session *session)
{
    return &session->host.services->users;
}

/* What a buffer takes more before so much has room in it. */
static size_t growth(const struct json *json, size_t room)
{
    if (json->capacity - json->length >= room)
        return 0;
    return json->capacity > room ? json->capacity : room;
}

/* Where memory is short, there is room for small pieces as long as those are read. */
static bool may_write(const struct session *session)
{
    return session->out.length < OUT_PAUSE &&
           users_may_have(users_of(session), session->user, growth(&session->out, OUT_ROOM));
}

static bool lacks_memory(const struct session *session)
{
    return !session->ending && !session->pending && !session->reply_fds &&
           session->out.length == 0 &&
           (!may_write(session) || (session->intake.hungry && !intake_may_read(&session->intake)));
}

/* Something waits for it: what there is to write, or what the client has sent. */
bool session_waits_for_memory(const struct session *session)
{
    char byte;
    bool bare;

    return lacks_memory(session) && (session->producer || session->intake.length > 0 ||
                                     fdpass_peek(session->fd, &byte, 1, &bare) > 0);
}

static bool may_take(const struct session *session)
{
    return !session->ending && !session->producer && !session->pending && !session->reply_fds &&
           may_write(session) && users_may_request(users_of(session), session->user);
}

static struct session *turn_session(struct turn *turn)
{
    return (struct session *)((char *)turn - offsetof(struct session, turn));
}

bool session_is_subscribed(const struct session *session)
{
    return session->subscription && session->subscription->subscriber.subscribed;
}

static void count_queued(struct session *session)
{
    size_t now = session->out.capacity + session->peer.group_count * sizeof *session->peer.groups;

    if (session->collected)
        now += session->collected->bytes;
    if (session->pending)
        now += pending_bytes(session->pending);
    users_count_queued(users_of(session), session->user, session->queued, now);
    session->queued = now;
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
    session_end_producer(session);
    session_drop_fds(session);
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
    session->host.perform(&call, bytes, n);
    session->action = call.request.action;
    check_reply(session, before);
    session_settle_fds(session);
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
    if (result == -ENOMEM)
        session_refuse_stream(session, ERROR_NO_MEMORY,
                              "The service has no memory for the request. The connection ends "
                              "here.");
    if (result == -EMFILE)
        session_refuse_stream(session, ERROR_LIMIT,
                              "The service takes no more descriptors from you. The connection "
                              "ends here.");
    return result >= 0 || session->ending;
}

/* --- Replies ------------------------------------------------------------------------------- */

static void produce(struct session *session)
{
    if (!session->producer->more(session->producer, &session->out))
        session_end_producer(session);
}

void reply_produce(struct call *call, struct producer *producer)
{
    call->session->producer = producer;
    produce(call->session);
}

/* That may be sent: while descriptors are unread, nothing behind them is, or it would never be
 * known that they are read. */
static bool has_events(const struct session *session)
{
    const struct subscription *subscription = session->subscription;

    return subscription && !session->reply_fds && !session->ending &&
           events_wait(&session->host.services->events, &subscription->subscriber);
}

/* What memory cut short cannot be mended: the reply stops, and a line of its own says why. */
static void produce_next(struct session *session)
{
    size_t before = session->out.length;

    produce(session);
    if (!session->out.failed)
        return;
    session_end_producer(session);
    json_cut(&session->out, before);
    json_bytes(&session->out, "\n", 1);
    session_refuse_stream(session, ERROR_NO_MEMORY,
                          "The service has no memory for the rest of the reply. The connection "
                          "ends here.");
}

/* The next to be sent is a reply with descriptors, of which the kernel takes none. */
static void refuse_fds(struct session *session)
{
    session_drop_fds(session);
    json_cut(&session->out, 0);
    session_refuse_stream(session, ERROR_LIMIT,
                          "The kernel sends no more descriptors, because too many were sent that "
                          "nobody has read. The connection ends here.");
}

bool session_flush(struct session *session)
{
    struct json *out = &session->out;

    if (out->length == 0)
        return true;

    ssize_t sent = session_send(session);

    if (sent == -ETOOMANYREFS)
        refuse_fds(session);
    if (sent < 0)
        return sent == -EAGAIN || sent == -EINTR || sent == -ETOOMANYREFS;
    session->ages[WAIT_READER] = 0;
    if (sent > 0)
        session->inside = out->text[sent - 1] != '\n';
    out->length -= (size_t)sent;
    memmove(out->text, out->text + sent, out->length);
    if (out->length == 0 && !session->producer) /* which goes on where its text ended */
        json_clear(out);
    return true;
}

/* --- Turns --------------------------------------------------------------------------------- */

/* After a piece of work. */
static bool turn_is_over(const struct session *session)
{
    struct services *services = session->host.services;
    bool over = turns_are_over(&services->turns);

    if (services->turns.piece_ns > services->longest_ns[session->action])
        services->longest_ns[session->action] = services->turns.piece_ns;
    return over;
}

static bool wants_input(const struct session *session)
{
    return may_take(session) && session->intake.starved && !session->intake.ended &&
           !session->intake.stopped && intake_may_read(&session->intake);
}

/* A request, or a piece of a long reply. False: there is nothing to do. */
static bool work(struct session *session)
{
    if (!session->producer)
        return may_take(session) && !session->intake.starved && take_request(session);
    if (!may_write(session))
        return false;
    produce_next(session);
    return true;
}

/* Some at least, also of who has no end of other work. */
static void take_events(struct session *session)
{
    struct events *events = &session->host.services->events;

    while (!session->producer && has_events(session) && may_write(session)) {
        events_take(events, &session->subscription->subscriber, &session->out);
        if (turn_is_over(session))
            break;
    }
}

/* A short reply is sent in one piece, however many turns its parts took. */
static bool is_short_so_far(const struct session *session)
{
    return session->producer && session->out.length < FIRST_PIECE && may_write(session);
}

/* To send wakes the client, which costs as much as some requests: where its next turn is the next
 * one of all, the replies are sent with those to come. */
static bool may_keep_replies(const struct session *session)
{
    return turns_are_empty(&session->host.services->turns) && session->out.length < REPLIES_KEPT &&
           !session->out.failed && !session->producer && may_take(session) &&
           !session->intake.starved;
}

static void take_turn(struct turn *turn)
{
    struct session *session = turn_session(turn);

    if (session->readable && wants_input(session))
        session->broken |= !read_input(session);
    session->readable = false;
    while (!session->broken && work(session) && !turn_is_over(session))
        ;
    intake_compact(&session->intake);
    if (session->broken)
        return;
    take_events(session);
    session->keeps_replies = is_short_so_far(session) || may_keep_replies(session);
    if (!session->keeps_replies)
        session->broken = session->out.failed || !session_flush(session);
}

static void settle_turn(struct turn *turn)
{
    struct session *session = turn_session(turn);

    if (session->broken)
        session_close(session);
    else
        session_watch(session);
}

/* While it waits for its turn, what comes is not worth being told. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;

    session->readable |= (events & UV_READABLE) != 0;
    session->broken |= status < 0;
    if (turn_waits(&session->turn)) {
        session->watched = 0;
        uv_poll_stop(poll);
    }
    turns_enter(&session->host.services->turns, &session->turn, session->user);
}

static bool is_over(const struct session *session)
{
    return session->out.length == 0 && !session->producer && !session->pending &&
           (session->ending || (session->intake.ended && session->intake.starved));
}

/* What the client has not read comes first. */
static bool has_work(const struct session *session)
{
    return (session->out.length == 0 || session->keeps_replies) && may_write(session) &&
           (session->producer || has_events(session) ||
            (may_take(session) && !session->intake.starved));
}

static int wanted_events(const struct session *session)
{
    return (wants_input(session) ? UV_READABLE : 0) | (session->out.length > 0 ? UV_WRITABLE : 0);
}

void session_watch(struct session *session)
{
    int events = wanted_events(session);

    if (is_over(session)) {
        session_close(session);
        return;
    }
    count_queued(session);
    if (has_work(session))
        turns_enter(&session->host.services->turns, &session->turn, session->user);
    if (turn_waits(&session->turn) || events == session->watched)
        return;
    session->watched = events;
    if (events)
        uv_poll_start(&session->poll, events, on_poll);
    else
        uv_poll_stop(&session->poll);
}

void session_go_on(struct session *session)
{
    session->intake.stopped = false;
    session_watch(session);
}

static void wake_subscriber(struct subscriber *subscriber)
{
    struct session *session = ((struct subscription *)subscriber)->session;

    if (!session->closed)
        session_watch(session);
}

/* --- Calls that wait ----------------------------------------------------------------------- */

struct pending **session_pending(struct session *session)
{
    return &session->pending;
}

void session_free_pending(struct session *session)
{
    free(session->pending);
    session->pending = NULL;
}

void session_answered(struct session *session, size_t before)
{
    check_reply(session, before);
    session_settle_fds(session);
    if (session->out.length > 0) /* sent in this turn of the loop, without asking if it may be */
        turns_enter(&session->host.services->turns, &session->turn, session->user);
    else
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
    struct session_end *leases = calloc(1, sizeof *leases);
    struct account *user = users_connect(&host->services->users, peer->uid);

    if (!session || !leases || !user || uv_poll_init(host->loop, &session->poll, fd) < 0) {
        if (user)
            users_disconnect(&host->services->users, user);
        free(session);
        free(leases);
        return NULL;
    }
    session->host = *host;
    session->end = leases;
    TAILQ_INIT(&session->end->leases);
    session->end->registry = &host->services->leases;
    session->user = user;
    session->fd = fd;
    session->peer = *peer; /* with its groups */
    intake_init(&session->intake, peer_passes_descriptors(fd), host->services, user);
    if (session->intake.passes)
        peer_read_in_line(fd);
    session->out.limit = OUT_MAX;
    session->poll.data = session;
    session->turn = (struct turn){.take = take_turn, .settle = settle_turn};
    add_to_list(session);
    session_watch(session);
    return session;
}

struct slice_user *session_work(struct session *session)
{
    return &session->user->work;
}

struct held_leases *session_leases(struct session *session)
{
    return &session->end->leases;
}

struct collected **call_collected(const struct call *call)
{
    return &call->session->collected;
}

void session_end_collected(struct session *session)
{
    struct collected *collected = session->collected;

    session->collected = NULL;
    if (collected)
        collected->destroy(collected);
}

/* Half of what the user may queue is left for replies. */
bool call_may_collect(const struct call *call)
{
    const struct users *users = &call->services->users;

    return users_queued_by(users, call->session->user) < users->bytes.bounds.share / 2 &&
           users->bytes.used < users->bytes.bounds.size / 2 &&
           users_may_have(users, call->session->user, OUT_ROOM);
}

void session_note_refusal(struct session *session, enum action action)
{
    if (action_row(action)->flags & ACTION_ENDS_SET)
        session_end_collected(session);
    if (session->collected)
        session->collected->failed = true;
}

struct subscriber *session_subscriber(struct session *session)
{
    if (!session->subscription) {
        session->subscription = calloc(1, sizeof *session->subscription);
        if (!session->subscription)
            return NULL;
        session->subscription->session = session;
        session->subscription->subscriber.wake = wake_subscriber;
        session->subscription->subscriber.reader =
            (struct reader){&session->host.services->policy, &session->peer};
    }
    return &session->subscription->subscriber;
}
