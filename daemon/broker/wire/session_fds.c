/* The descriptors of requests and replies.
 *
 * Those of a reply are charged to its user before the action acts, and until the client has read
 * them: the kernel charges them to us, also when the connection is closed here, until the client
 * reads or closes it there (unix(7), ETOOMANYREFS). So a session takes no request while it has some
 * that were not read, and where it ends before, its socket stays open until then. */
#include "received.h"
#include "request_fds.h"
#include "session_internal.h"

#include "fdpass.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPLY_FDS_MAX = 8,
    /* How often it is looked whether they are read, for which there is no event. */
    LOOK_MS = 1,
    LOOK_SELDOM_MS = 128,
};

/* Each state may go on to the next one, and to the end. */
enum reply_state {
    RESERVED, /* the action is at work: it may add descriptors and reply */
    QUEUED,   /* the reply is written; its first byte was not sent */
    SENT,     /* it was sent, perhaps not read */
};

struct reply_fds {
    uv_timer_t timer;                /* first */
    LIST_ENTRY(reply_fds) in_unread; /* struct sessions, while there is no session; owned */
    struct session *session;         /* NULL: it has ended */
    struct services *services;
    struct account *user;
    int socket; /* where there is no session, owned */
    enum reply_state state;
    const char *names; /* of the action's row */
    const char *more;  /* the name of those behind them */
    size_t at;         /* where the reply begins in what is to be sent */
    unsigned delay_ms;
    unsigned reserved, count;
    int fds[REPLY_FDS_MAX]; /* owned until they are sent */
};

/* Of what an action does: a mistake of ours. */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* --- Of a reply ---------------------------------------------------------------------------- */

static void free_reply_fds(uv_handle_t *handle)
{
    free(handle);
}

static void close_fds(struct reply_fds *reply)
{
    while (reply->count > 0)
        closer_take(&reply->services->closer, NULL,
                    &(struct closing){.fd = reply->fds[--reply->count]});
}

/* They are read, or will not be. */
static void end_reply_fds(struct reply_fds *reply)
{
    struct users *users = &reply->services->users;
    struct account *user = reply->user;

    close_fds(reply);
    users_have_read(users, user, reply->reserved);
    if (reply->session) {
        reply->session->reply_fds = NULL;
    } else {
        LIST_REMOVE(reply, in_unread);
        received_end_connection(reply->services, user, reply->socket,
                                peer_passes_descriptors(reply->socket));
    }
    uv_close((uv_handle_t *)&reply->timer, free_reply_fds);
}

static void look_later(struct reply_fds *reply);

static void look(uv_timer_t *timer)
{
    struct reply_fds *reply = (struct reply_fds *)timer;
    struct session *session = reply->session;

    if (!peer_has_read(reply->socket)) {
        look_later(reply);
        return;
    }
    end_reply_fds(reply);
    if (session)
        session_watch(session);
}

static void look_later(struct reply_fds *reply)
{
    uv_timer_start(&reply->timer, look, reply->delay_ms, 0);
    if (reply->delay_ms < LOOK_SELDOM_MS)
        reply->delay_ms *= 2;
}

bool session_reserve_fds(struct session *session, const char *names, struct error *error)
{
    struct services *services = session->host.services;
    unsigned count = (unsigned)word_count(names);
    struct reply_fds *reply;

    if (count == 0)
        return true;
    require(count <= REPLY_FDS_MAX);
    if (!users_may_send(&services->users, session->user, count, error))
        return false;
    reply = calloc(1, sizeof *reply);
    if (!reply)
        return error_set(error, ERROR_NO_MEMORY, NULL,
                         "The service has no memory for a reply with descriptors.");
    *reply = (struct reply_fds){
        .session = session,
        .services = services,
        .user = session->user,
        .socket = session->fd,
        .names = names,
        .delay_ms = LOOK_MS,
        .reserved = count,
    };
    uv_timer_init(session->host.loop, &reply->timer);
    users_send(&services->users, reply->user, count);
    session->reply_fds = reply;
    return true;
}

bool call_lend_more(struct call *call, const char *name, unsigned more, struct error *error)
{
    struct reply_fds *reply = call->session->reply_fds;
    struct users *users = &call->services->users;
    bool may;

    if (!reply || reply->state != RESERVED || reply->reserved + more > REPLY_FDS_MAX)
        abort();
    users_have_read(users, reply->user, reply->reserved); /* asked for as a whole */
    may = users_may_send(users, reply->user, reply->reserved + more, error);
    reply->reserved += may ? more : 0;
    reply->more = name;
    users_send(users, reply->user, reply->reserved);
    return may;
}

/* The name of this place: of the row, or that of those behind it. */
static const char *name_at(const struct reply_fds *reply, unsigned place, size_t *ret_length)
{
    const char *name = reply->names;

    *ret_length = strcspn(name, " ");
    for (; place > 0 && name[*ret_length]; place--) {
        name += *ret_length + 1;
        *ret_length = strcspn(name, " ");
    }
    if (place == 0)
        return name;
    *ret_length = strlen(reply->more);
    return reply->more;
}

static bool is_next_name(const struct reply_fds *reply, const char *name)
{
    size_t length;
    const char *next = name_at(reply, reply->count, &length);

    return strlen(name) == length && strncmp(next, name, length) == 0;
}

void reply_fd(struct call *call, const char *name, int fd)
{
    struct reply_fds *reply = call->session->reply_fds;

    if (!reply || reply->state != RESERVED || reply->count >= reply->reserved)
        abort();
    require(is_next_name(reply, name));
    reply->fds[reply->count++] = fd;
}

void session_queue_fds(struct session *session, size_t begin)
{
    struct reply_fds *reply = session->reply_fds;

    if (!reply || reply->count == 0)
        return;
    require(reply->count == reply->reserved);
    reply->state = QUEUED;
    reply->at = begin;
    json_key(&session->out, "fds");
    json_open(&session->out, '[');
    for (unsigned i = 0; i < reply->count; i++) {
        size_t length;
        const char *name = name_at(reply, i, &length);

        json_text_open(&session->out);
        json_bytes(&session->out, name, length);
        json_text_close(&session->out);
    }
    json_close(&session->out, ']');
}

void session_drop_fds(struct session *session)
{
    if (session->reply_fds)
        end_reply_fds(session->reply_fds);
}

void session_settle_fds(struct session *session)
{
    struct passed *none;

    intake_take_fds(&session->intake, 0, &none); /* where it was refused before it took them */
    if (session->pending)
        return;
    if (session->reply_fds && session->reply_fds->state == RESERVED)
        end_reply_fds(session->reply_fds);
    intake_close_fds(&session->intake, session->request_fds);
    session->request_fds = NULL;
}

void session_end_fds(struct session *session)
{
    struct reply_fds *reply = session->reply_fds;

    intake_end_fds(&session->intake);
    intake_close_fds(&session->intake, session->request_fds);
    session->request_fds = NULL;
    if (!reply)
        return;
    if (reply->state != SENT) {
        end_reply_fds(reply);
        return;
    }
    shutdown(session->fd, SHUT_RDWR);
    LIST_INSERT_HEAD(&reply->services->sessions.unread, reply, in_unread);
    reply->session = NULL;
    session->reply_fds = NULL;
    session->fd = -1;
}

void sessions_end_unread(struct sessions *sessions)
{
    while (!LIST_EMPTY(&sessions->unread))
        end_reply_fds(LIST_FIRST(&sessions->unread));
}

bool session_has_unread_fds(const struct session *session)
{
    return session->reply_fds && session->reply_fds->state == SENT;
}

/* Sends from the reply's first byte on.
 * #syscalls lending: sendmsg */
static ssize_t send_with_fds(struct session *session, struct reply_fds *reply)
{
    ssize_t sent = fdpass_send_some(session->fd, session->out.text, session->out.length, reply->fds,
                                    reply->count);

    if (sent > 0) {
        close_fds(reply);
        reply->state = SENT;
        look_later(reply);
    }
    if (sent == -ETOOMANYREFS)
        log_line(LOG_WARNING,
                 "too many descriptors that nobody has read: a connection of user %u "
                 "ends.",
                 (unsigned)session->peer.uid);
    return sent;
}

/* #syscalls broker: send sendto shutdown */
ssize_t session_send(struct session *session)
{
    struct reply_fds *reply = session->reply_fds;
    bool queued = reply && reply->state == QUEUED;
    ssize_t sent;

    if (queued && reply->at == 0)
        return send_with_fds(session, reply);
    sent = send(session->fd, session->out.text, queued ? reply->at : session->out.length, 0);
    if (sent < 0)
        return -errno;
    if (queued)
        reply->at -= (size_t)sent;
    return sent;
}

/* --- Of a request -------------------------------------------------------------------------- */

bool session_take_fds(struct session *session, const char *types, size_t names, struct error *error)
{
    struct passed *passed;

    if (!intake_take_fds(&session->intake, names, &passed))
        return error_set(error, ERROR_INVALID_DESCRIPTOR, "fds",
                         "Invalid argument: a request has the descriptors that it names in 'fds', "
                         "and no others; they are sent with its first byte.");
    session->request_fds = passed;
    return !passed || request_fds_check(types, passed->list.fds, error);
}

int call_take_fd(struct call *call, size_t place)
{
    struct passed *passed = call->session->request_fds;
    int fd = passed && place < passed->list.count ? passed->list.fds[place] : -1;

    if (fd >= 0) {
        passed->list.fds[place] = -1;
        users_have_closed(&call->session->host.services->users,
                          call->session->user); /* it is ours */
    }
    return fd;
}
