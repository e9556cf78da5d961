#include "keeper_link.h"

#include "fdpass.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAUSE_MS = 20 };

static void on_pause_over(uv_timer_t *timer);

/* #syscalls broker: sendmsg recvmsg fcntl fcntl64 close
 * False: the channel takes no more for now. */
static bool send_request(struct keeper_link *link, const struct keeper_request *request)
{
    static const struct fdpass_target peer = {NULL, 0};
    int result = fdpass_send(link->channel, &peer, request, sizeof *request, -1);

    if (result < 0 && result != -EAGAIN) /* the keeper is gone: the channel's end says so as well */
        log_line(LOG_ERR, "cannot ask the keeper: %s.", strerror(-result));
    return result != -EAGAIN;
}

/* Whether more may be sent now. Else the timer says when. */
static bool may_send(struct keeper_link *link)
{
    uint64_t now = uv_hrtime() / 1000000;
    uint64_t more = (now - link->filled_ms) * PACE_PER_SECOND / 1000;

    if (more > 0) {
        link->left = more < PACE_BURST - link->left ? link->left + (unsigned)more : PACE_BURST;
        link->filled_ms = now;
    }
    if (link->left > 0)
        return true;
    if (!uv_is_active((uv_handle_t *)&link->pause))
        uv_timer_start(&link->pause, on_pause_over, PAUSE_MS, 0);
    return false;
}

static bool send_paced(struct keeper_link *link, const struct keeper_request *request)
{
    bool sent = may_send(link) && send_request(link, request);

    link->left -= sent;
    return sent;
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

static void receive_answer(struct keeper_link *link)
{
    struct keeper_answer answer;
    struct keeper_call *call;
    int fd;
    int result = fdpass_receive(link->channel, &answer, sizeof answer, &fd);

    if (result == -EAGAIN)
        return;
    if (result != 1) {
        link->lost(link->context);
        return;
    }
    answer.owner[sizeof answer.owner - 1] = '\0';
    call = take_call(link, answer.id);
    if (call)
        call->done(call, &answer, fd);
    else if (fd >= 0)
        close(fd);
}

static void watch_channel(struct keeper_link *link)
{
    bool waits = !TAILQ_EMPTY(&link->unsent) && !uv_is_active((uv_handle_t *)&link->pause);

    watch_start(&link->watch, UV_READABLE | (waits ? UV_WRITABLE : 0));
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
    watch_channel(link);
}

static void on_pause_over(uv_timer_t *timer)
{
    send_queued(timer->data);
}

static void on_channel(struct watch *watch, int events)
{
    struct keeper_link *link = watch->context;

    if (events & UV_WRITABLE)
        send_queued(link);
    if (events & UV_READABLE)
        receive_answer(link);
}

static void queue(struct keeper_link *link, struct keeper_call *call)
{
    TAILQ_INSERT_TAIL(&link->unsent, call, in_link);
    watch_channel(link);
}

/* Before what waits: the next one comes soon where the channel is full. */
static void on_alive(uv_timer_t *timer)
{
    send_request(timer->data, &(struct keeper_request){.operation = KEEPER_ALIVE});
}

void keeper_link_start(struct keeper_link *link, uv_loop_t *loop)
{
    TAILQ_INIT(&link->calls);
    TAILQ_INIT(&link->unsent);
    fcntl(link->channel, F_SETFL, O_NONBLOCK);
    link->left = PACE_BURST;
    link->filled_ms = uv_hrtime() / 1000000;
    uv_timer_init(loop, &link->pause);
    link->pause.data = link;
    watch_init(&link->watch, loop, link->channel, on_channel, link);
    watch_channel(link);
    uv_timer_init(loop, &link->alive);
    link->alive.data = link;
    uv_timer_start(&link->alive, on_alive, 0, ALIVE_INTERVAL_MS);
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
        queue(link, call);
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
    queue(link, call);
}
