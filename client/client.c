/* A connection: what is to be sent, what was received, and who waits for a reply. */
#include "netbroker.h"

#include "bounds.h"
#include "check.h"
#include "reply.h"
#include "request.h"
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_DEFAULT "/run/netbroker/netbroker.sock"

enum {
    READ_SIZE = 64 * 1024,
    /* 260,000 routes fit a reply of this size; a service that sends more is broken. */
    REPLY_MAX = 128 * 1024 * 1024,
    /* What may wait to be sent, some 8,000 routes, before nb_submit sends on its own account. */
    OUT_MAX = 64 * 1024 * 1024,
};

struct waiter {
    nb_handler *handler; /* NULL: nobody wants the reply */
    void *context;
};

struct nb_client {
    int fd;
    struct json out; /* what is to be sent, from `sent` on */
    size_t sent;
    struct json in; /* what was received */
    size_t scanned; /* of it */
    struct scan scan;
    struct passed *passed;  /* owned: descriptors of a reply in `in`; NULL: none */
    struct waiter *waiters; /* owned: a ring of capacity entries */
    size_t first, count, capacity;
    nb_handler *event_handler;
    void *event_context;
    struct nb_reply *kept; /* by keep_reply, below */
    struct nb_reply *last; /* owned: why the service ends the connection; NULL: it did not say */
    unsigned timeout;      /* of blocking calls, in milliseconds; 0: none */
    int error;             /* what ended the connection */
};

const char *nb_socket_path(const char *path)
{
    const char *environment = getenv("NETBROKER_SOCKET");

    if (path)
        return path;
    return environment && environment[0] ? environment : SOCKET_DEFAULT;
}

/* --- Deadlines ----------------------------------------------------------------------------- */

enum { NO_DEADLINE = 0 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t new_deadline(unsigned milliseconds)
{
    return milliseconds ? now_ms() + milliseconds : NO_DEADLINE;
}

/* As poll(2) takes it: -1 stands for no limit, 0 says that the time is over. */
static int time_left(int64_t deadline)
{
    int64_t rest = deadline == NO_DEADLINE ? -1 : deadline - now_ms();

    if (deadline != NO_DEADLINE && rest < 0)
        return 0;
    return rest > INT_MAX ? INT_MAX : (int)rest;
}

/* --- The beginning and the end ------------------------------------------------------------- */

static bool limit_connect(int fd, int milliseconds)
{
    struct timeval limit = {milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000};

    return milliseconds < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

/* A service whose queue of connections is full keeps connect(2) waiting, as long as send(2) may. A
 * signal breaks that off, and it is begun again. */
static bool connect_within(int fd, const struct sockaddr_un *address, unsigned milliseconds)
{
    int64_t deadline = new_deadline(milliseconds);
    int rest = time_left(deadline);

    do {
        if (rest == 0)
            errno = ETIMEDOUT;
        if (rest == 0 || !limit_connect(fd, rest))
            return false;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return true;
        rest = time_left(deadline);
    } while (errno == EINTR);
    return false;
}

static int open_socket(const char *path, unsigned milliseconds)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && connect_within(fd, &address, milliseconds) &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    error = errno == EAGAIN ? -ETIMEDOUT : -errno;
    close(fd);
    return error;
}

int nb_connect(struct nb_client **ret_client, const char *path)
{
    return nb_connect_within(ret_client, path, 0);
}

int nb_connect_within(struct nb_client **ret_client, const char *path, unsigned milliseconds)
{
    struct nb_client *client;
    int fd = ret_client ? open_socket(nb_socket_path(path), milliseconds) : -EINVAL;

    if (fd < 0)
        return fd;
    client = calloc(1, sizeof *client);
    if (!client) {
        close(fd);
        return -ENOMEM;
    }
    client->fd = fd;
    client->timeout = milliseconds;
    client->out.limit = OUT_MAX;
    client->in.limit = REPLY_MAX;
    *ret_client = client;
    return 0;
}

void nb_close(struct nb_client *client)
{
    if (!client)
        return;
    close(client->fd);
    json_clear(&client->out);
    json_clear(&client->in);
    passed_free(client->passed);
    nb_reply_free(client->kept);
    nb_reply_free(client->last);
    free(client->waiters);
    free(client);
}

/* --- Waiting for replies ------------------------------------------------------------------- */

static int push_waiter(struct nb_client *client, struct waiter waiter)
{
    if (client->count == client->capacity) {
        size_t capacity = client->capacity ? client->capacity * 2 : 8;
        struct waiter *waiters = calloc(capacity, sizeof *waiters);

        if (!waiters)
            return -ENOMEM;
        for (size_t i = 0; i < client->count; i++)
            waiters[i] = client->waiters[(client->first + i) % client->capacity];
        free(client->waiters);
        client->waiters = waiters;
        client->capacity = capacity;
        client->first = 0;
    }
    client->waiters[(client->first + client->count++) % client->capacity] = waiter;
    return 0;
}

static struct waiter pop_waiter(struct nb_client *client)
{
    struct waiter waiter = client->waiters[client->first];

    client->first = (client->first + 1) % client->capacity;
    client->count--;
    return waiter;
}

int nb_submit(struct nb_client *client, const struct nb_request *request, nb_handler *handler,
              void *context)
{
    size_t before;
    int result;

    if (!client || !request)
        return -EINVAL;
    before = client->out.length;
    result = request_append(request, &client->out);
    if (result == 0)
        result = push_waiter(client, (struct waiter){handler, context});
    if (result < 0)
        json_cut(&client->out, before);
    return result;
}

/* The reply to something that is no whole request would be taken for that of another. */
static int append_text(struct json *out, const char *text, size_t length)
{
    struct error error;
    struct span id;

    if (length > REQUEST_MAX)
        return -EMSGSIZE;
    if (!check_request(text, length, &id, &error))
        return -EINVAL;
    json_bytes(out, text, length);
    json_bytes(out, "\n", 1);
    return out->failed ? -ENOMEM : 0;
}

int nb_submit_text(struct nb_client *client, const char *text, size_t length, nb_handler *handler,
                   void *context)
{
    size_t before;
    int result;

    if (!client || !text)
        return -EINVAL;
    before = client->out.length;
    result = append_text(&client->out, text, length);
    if (result == 0)
        result = push_waiter(client, (struct waiter){handler, context});
    if (result < 0)
        json_cut(&client->out, before);
    return result;
}

size_t nb_pending(const struct nb_client *client)
{
    return client ? client->count : 0;
}

void nb_set_event_handler(struct nb_client *client, nb_handler *handler, void *context)
{
    if (!client)
        return;
    client->event_handler = handler;
    client->event_context = context;
}

/* --- The stream ---------------------------------------------------------------------------- */

int nb_fd(const struct nb_client *client)
{
    return client ? client->fd : -EINVAL;
}

short nb_poll_events(const struct nb_client *client)
{
    if (!client)
        return 0;
    return client->sent < client->out.length ? POLLIN | POLLOUT : POLLIN;
}

static int send_some(struct nb_client *client)
{
    while (client->sent < client->out.length) {
        ssize_t sent = send(client->fd, client->out.text + client->sent,
                            client->out.length - client->sent, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? 0 : -errno;
        client->sent += (size_t)sent;
    }
    client->sent = 0;
    json_cut(&client->out, 0);
    return 0;
}

static bool give_descriptors(struct nb_client *client, struct nb_reply *reply, size_t begin)
{
    size_t names = reply_fd_count(reply);

    if (!passed_agree(client->passed, client->in.text, begin, client->scanned, names))
        return false;
    if (names > 0) {
        reply_give_fds(reply, client->passed);
        client->passed = NULL;
    }
    return true;
}

/* --- The reason of the end ----------------------------------------------------------------- */

/* An error that nobody waits for says why the connection ends. It is kept: whoever asks next learns
 * it. Nothing may follow it. */
static int keep_last_words(struct nb_client *client, struct nb_reply *reply)
{
    if (client->last || nb_reply_event(reply) || !nb_reply_code(reply)) {
        nb_reply_free(reply);
        return -EBADMSG;
    }
    client->last = reply;
    return 0;
}

/* Where the service broke off a reply, the reason is the last line. */
static void find_last_words(struct nb_client *client)
{
    const char *text = client->in.text, *line;
    size_t length = client->in.length;
    struct nb_reply *reply;

    if (client->last || length < 2 || text[length - 1] != '\n')
        return;
    line = memrchr(text, '\n', length - 1);
    if (line && reply_parse(&reply, line + 1, (size_t)(text + length - 1 - line - 1)) == 0)
        keep_last_words(client, reply);
}

static void handle_reply(struct nb_client *client, struct nb_reply *reply, struct waiter waiter);

/* The reason of the end is the reply to the request that was sent first. Returns whether there is
 * one that nobody has. */
static bool give_last_words(struct nb_client *client)
{
    struct nb_reply *reply = client->last;

    if (!reply || client->count == 0)
        return false;
    client->last = NULL;
    handle_reply(client, reply, pop_waiter(client));
    return true;
}

/* --- The stream, received ------------------------------------------------------------------ */

static void handle_reply(struct nb_client *client, struct nb_reply *reply, struct waiter waiter)
{
    if (waiter.handler)
        waiter.handler(client, reply, waiter.context);
    if (client->kept != reply)
        nb_reply_free(reply);
}

/* Handles the object from begin to what was scanned. */
static int handle_object(struct nb_client *client, size_t begin)
{
    struct nb_reply *reply;
    int result = reply_parse(&reply, client->in.text + begin, client->scanned - begin);
    struct waiter waiter = {client->event_handler, client->event_context};

    if (result < 0)
        return result;
    if (!give_descriptors(client, reply, begin)) {
        nb_reply_free(reply);
        return -EBADMSG;
    }
    if (client->last || (!nb_reply_event(reply) && client->count == 0))
        return keep_last_words(client, reply);
    if (!nb_reply_event(reply))
        waiter = pop_waiter(client);
    handle_reply(client, reply, waiter);
    return 0;
}

/* Handles the next whole reply or event. Returns 1, 0 when there is none, or an error. */
static int handle_next(struct nb_client *client, size_t *start)
{
    size_t used, begin = *start;

    if (client->scanned == client->in.length) /* also while there is no buffer yet */
        return 0;

    enum scan_result found = scan_bytes(&client->scan, client->in.text + client->scanned,
                                        client->in.length - client->scanned, &used);

    client->scanned += used;
    if (found == SCAN_MORE)
        return 0;
    if (found == SCAN_GARBAGE)
        return -EBADMSG;
    *start = client->scanned;

    int result = handle_object(client, begin);

    return result < 0 ? result : 1;
}

/* Handles whole replies and events, `most` at most. */
static int handle_received(struct nb_client *client, size_t most)
{
    size_t start = 0, handled = 0;
    int result = 1;

    while (handled < most && (result = handle_next(client, &start)) > 0)
        handled++;
    if (start > 0) {
        memmove(client->in.text, client->in.text + start, client->in.length - start);
        json_cut(&client->in, client->in.length - start);
        client->scanned -= start;
        passed_move(client->passed, start);
    }
    return result < 0 ? result : (int)handled;
}

/* Keeps descriptors that came with the last length bytes. */
static int keep_descriptors(struct nb_client *client, const struct fdpass_list *list, size_t length)
{
    struct passed *passed;

    if (list->count == 0 && !list->incomplete)
        return 0;
    passed = malloc(sizeof *passed);
    if (!passed) {
        fdpass_close(list);
        return -ENOMEM;
    }
    *passed = (struct passed){client->in.length - length, client->in.length, *list};
    if (!client->passed) {
        client->passed = passed;
        return 0;
    }
    passed_free(passed); /* those before are of a reply that has not ended */
    return -EBADMSG;
}

/* Returns 1 when something was received, 0 when nothing is there, or an error. */
static int receive_some(struct nb_client *client)
{
    char bytes[READ_SIZE];
    struct fdpass_list list;
    ssize_t length = fdpass_receive_some(client->fd, bytes, sizeof bytes, &list, FDPASS_MAX);
    int result;

    if (length < 0)
        return length == -EAGAIN || length == -EINTR ? 0 : (int)length;
    if (length == 0)
        return -EPIPE;
    json_bytes(&client->in, bytes, (size_t)length);
    result = keep_descriptors(client, &list, (size_t)length);
    if (client->in.failed)
        return -ENOMEM;
    return result < 0 ? result : 1;
}

static int keep_error(struct nb_client *client, int result)
{
    if (result < 0)
        client->error = result;
    return result;
}

/* The connection is over. Returns 1 where a request has the reason as its reply, else the error. */
static int end_stream(struct nb_client *client, int error)
{
    find_last_words(client);
    keep_error(client, error);
    return give_last_words(client) ? 1 : error;
}

/* One turn, handling at most `most` replies and events; returns how many, or an error. A service
 * that ends may have answered before, so what it sent is read first. */
static int turn(struct nb_client *client, size_t most)
{
    if (client->error)
        return give_last_words(client) ? 1 : client->error;

    int sent = send_some(client), received = 0, handled = 0;

    if (client->passed) /* while the reply that they belong to waits, no others are received */
        handled = handle_received(client, most);
    if (handled == 0) {
        received = receive_some(client);
        handled = handle_received(client, most);
    }
    if (handled > 0)
        return handled;
    if (handled < 0 || received < 0)
        return end_stream(client, handled < 0 ? handled : received);
    return sent < 0 && received == 0 ? end_stream(client, sent) : 0;
}

int nb_dispatch(struct nb_client *client)
{
    int result = client ? turn(client, SIZE_MAX) : -EINVAL;

    return result < 0 ? result : 0;
}

/* --- Waiting with a limit ------------------------------------------------------------------ */

static int wait_turn(struct nb_client *client, size_t most, int64_t deadline)
{
    struct pollfd polled = {.fd = client->fd};
    int result = turn(client, most), rest;

    if (result != 0)
        return result;
    rest = time_left(deadline);
    if (rest == 0)
        return keep_error(client, -ETIMEDOUT);
    polled.events = nb_poll_events(client);
    if (poll(&polled, 1, rest) < 0 && errno != EINTR)
        return keep_error(client, -errno);
    return turn(client, most);
}

void nb_set_timeout(struct nb_client *client, unsigned milliseconds)
{
    if (client)
        client->timeout = milliseconds;
}

int nb_wait(struct nb_client *client)
{
    int64_t deadline;
    int result = 0;

    if (!client)
        return -EINVAL;
    deadline = new_deadline(client->timeout);
    while (result >= 0 && (client->count > 0 || client->event_handler)) {
        result = wait_turn(client, SIZE_MAX, deadline);
        if (result > 0)
            deadline = new_deadline(client->timeout);
    }
    return result < 0 ? result : 0;
}

int nb_wait_once(struct nb_client *client)
{
    int64_t deadline;
    int result = 0;

    if (!client)
        return -EINVAL;
    deadline = new_deadline(client->timeout);
    while (result == 0)
        result = wait_turn(client, 1, deadline);
    return result < 0 ? result : 0;
}

static void keep_reply(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct nb_reply **kept = context;

    /* made by handle_object, which does not free it then */
    *kept = client->kept = (struct nb_reply *)reply;
}

int nb_call(struct nb_client *client, const struct nb_request *request, struct nb_reply **ret_reply)
{
    struct nb_reply *reply = NULL;
    int64_t deadline;
    int result = ret_reply ? nb_submit(client, request, keep_reply, &reply) : -EINVAL;

    if (result < 0)
        return result;
    deadline = new_deadline(client->timeout);
    while (result >= 0 && !reply)
        /* Events that come without an end are no reply. */
        result = time_left(deadline) == 0 ? keep_error(client, -ETIMEDOUT)
                                          : wait_turn(client, 1, deadline);
    client->kept = NULL;
    if (!reply)
        return result;
    *ret_reply = reply;
    return 0;
}
