#include "keeper_link.h"

#include "fdpass.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAUSE_MS = 20, /* until a request that was not sent is tried again */
    REASSURE_MS = 200,
};

static void on_pause_over(uv_timer_t *timer);

/* #syscalls broker: write recvmsg fcntl fcntl64 close
 * False: the pipe takes no more for now. */
static bool send_request(struct keeper_link *link, const struct keeper_request *request)
{
    if (write(link->channel.requests, request, sizeof *request) == (ssize_t)sizeof *request)
        return true;
    if (errno == EAGAIN)
        return false;
    log_line(LOG_ERR, "cannot ask the keeper: %s.", strerror(errno)); /* the socket says so, too */
    return true;
}

/* Whether the pace lets more be sent now. */
static bool may_send(struct keeper_link *link)
{
    uint64_t now = uv_hrtime() / 1000000;
    uint64_t more = (now - link->filled_ms) * PACE_PER_SECOND / 1000;

    if (more > 0) {
        link->left = more < PACE_BURST - link->left ? link->left + (unsigned)more : PACE_BURST;
        link->filled_ms = now;
    }
    return link->left > 0;
}

static bool send_paced(struct keeper_link *link, const struct keeper_request *request)
{
    if (!may_send(link) || !send_request(link, request)) {
        uv_timer_start(&link->pause, on_pause_over, PAUSE_MS, 0);
        return false;
    }
    link->left--;
    return true;
}

static struct keeper_call *take_call(struct keeper_link *link, uint32_t id)
{
    struct keeper_call *call;

    TAILQ_FOREACH (call, &link->calls, in_link)
        if (call->request.id == id) {
            TAILQ_REMOVE(&link->calls, call, in_link);
            return call;
        }
    return NULL;
}

int keeper_take_more(struct keeper_link *link)
{
    return link->came.taken < link->came.count ? link->came.fds[link->came.taken++] : -1;
}

static void close_came(struct keeper_link *link)
{
    int fd;

    while ((fd = keeper_take_more(link)) >= 0)
        close(fd);
}

/* Receives an answer, and what came with it. 1, 0 when the keeper is gone, or a negative errno. */
static int receive(struct keeper_link *link, struct keeper_answer *answer)
{
    struct fdpass_list list;
    ssize_t length =
        fdpass_receive_some(link->channel.answers, answer, sizeof *answer, &list, KEEPER_FDS_MAX);

    if (length != (ssize_t)sizeof *answer || list.count > KEEPER_FDS_MAX) {
        if (length >= 0)
            fdpass_close(&list);
        return length < 0 ? (int)length : 0;
    }
    link->came.count = (unsigned)list.count;
    link->came.taken = 0;
    memcpy(link->came.fds, list.fds, list.count * sizeof *list.fds);
    return 1;
}

static void take_answer(struct keeper_link *link, const struct keeper_answer *answer, int fd)
{
    struct keeper_call *call = take_call(link, answer->id);

    if (call)
        call->done(call, answer, fd);
    else if (fd >= 0)
        close(fd);
}

static void take_notice(struct keeper_link *link, const struct keeper_answer *notice)
{
    if (notice->operation < KEEPER_OPERATION_COUNT && link->listeners[notice->operation].noticed)
        link->listeners[notice->operation].noticed(link->listeners[notice->operation].context,
                                                   notice);
}

/* False: there is none now. */
static bool receive_answer(struct keeper_link *link)
{
    struct keeper_answer answer;
    int result = receive(link, &answer);

    if (result == -EAGAIN)
        return false;
    if (result != 1) {
        link->lost(link->context);
        return false;
    }
    answer.text[sizeof answer.text - 1] = '\0';
    if (answer.id) {
        link->names_ever = answer.names_ever;
        take_answer(link, &answer, keeper_take_more(link));
    } else {
        take_notice(link, &answer);
    }
    close_came(link);
    return true;
}

static void send_queued(struct keeper_link *link)
{
    struct keeper_call *call;

    while ((call = TAILQ_FIRST(&link->unsent)) && send_paced(link, &call->request)) {
        TAILQ_REMOVE(&link->unsent, call, in_link);
        if (call->done)
            TAILQ_INSERT_TAIL(&link->calls, call, in_link);
        else
            free(call);
    }
}

static void on_pause_over(uv_timer_t *timer)
{
    send_queued(timer->data);
}

static void on_answer(struct watch *watch, int events)
{
    (void)events;
    receive_answer(watch->context);
}

/* Before what waits: the next one comes soon where the pipe is full. */
static void tell_alive(struct keeper_link *link)
{
    link->alive_ms = uv_hrtime() / 1000000;
    send_request(link, &(struct keeper_request){.operation = KEEPER_ALIVE});
}

static void on_alive(uv_timer_t *timer)
{
    tell_alive(timer->data);
}

void keeper_reassure(struct keeper_link *link)
{
    if (uv_hrtime() / 1000000 - link->alive_ms >= REASSURE_MS)
        tell_alive(link);
}

void keeper_listen(struct keeper_link *link, enum keeper_operation operation,
                   keeper_noticed *noticed, void *context)
{
    link->listeners[operation].noticed = noticed;
    link->listeners[operation].context = context;
}

void keeper_link_start(struct keeper_link *link, uv_loop_t *loop)
{
    TAILQ_INIT(&link->calls);
    TAILQ_INIT(&link->unsent);
    fcntl(link->channel.requests, F_SETFL, O_NONBLOCK);
    fcntl(link->channel.answers, F_SETFL, O_NONBLOCK);
    link->left = PACE_BURST;
    link->filled_ms = uv_hrtime() / 1000000;
    uv_timer_init(loop, &link->pause);
    link->pause.data = link;
    watch_init(&link->watch, loop, link->channel.answers, on_answer, link);
    watch_start(&link->watch, UV_READABLE);
    uv_timer_init(loop, &link->alive);
    link->alive.data = link;
    uv_timer_start(&link->alive, on_alive, 0, ALIVE_INTERVAL_MS);
    while (receive_answer(link)) /* nothing was asked: all of these are notices */
        ;
}

static void cancel_all(struct keeper_calls *calls)
{
    struct keeper_answer over = {.error = -ECANCELED};
    struct keeper_call *call;

    while ((call = TAILQ_FIRST(calls))) {
        TAILQ_REMOVE(calls, call, in_link);
        if (call->done)
            call->done(call, &over, -1);
        else
            free(call);
    }
}

void keeper_link_stop(struct keeper_link *link)
{
    send_queued(link);
    watch_close(&link->watch, NULL);
    uv_close((uv_handle_t *)&link->alive, NULL);
    uv_close((uv_handle_t *)&link->pause, NULL);
    cancel_all(&link->calls);
    cancel_all(&link->unsent);
}

void keeper_ask(struct keeper_link *link, struct keeper_call *call)
{
    call->request.id = ++link->last_id;
    if (TAILQ_EMPTY(&link->unsent) && send_paced(link, &call->request))
        TAILQ_INSERT_TAIL(&link->calls, call, in_link);
    else
        TAILQ_INSERT_TAIL(&link->unsent, call, in_link);
}

void keeper_tell(struct keeper_link *link, const struct keeper_request *request)
{
    struct keeper_call *call;

    if (TAILQ_EMPTY(&link->unsent) && send_paced(link, request))
        return;
    call = calloc(1, sizeof *call);
    if (!call) {
        log_line(LOG_ERR, "no memory to tell the keeper something.");
        return;
    }
    call->request = *request;
    TAILQ_INSERT_TAIL(&link->unsent, call, in_link);
}
