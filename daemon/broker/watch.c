#include "watch.h"

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = (struct watch *)poll;

    if (status < 0)
        uv_poll_start(poll, watch->events, on_poll);
    watch->ready(watch, status < 0 ? watch->events : events);
}

int watch_init(struct watch *watch, uv_loop_t *loop, int fd,
               void (*ready)(struct watch *watch, int events), void *context)
{
    watch->events = 0;
    watch->ready = ready;
    watch->context = context;
    return uv_poll_init(loop, &watch->poll, fd);
}

void watch_start(struct watch *watch, int events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    if (events)
        uv_poll_start(&watch->poll, events, on_poll);
    else
        uv_poll_stop(&watch->poll);
}

static void on_close(uv_handle_t *handle)
{
    struct watch *watch = (struct watch *)handle;
    void (*closed)(struct watch *) = handle->data;

    closed(watch);
}

void watch_close(struct watch *watch, void (*closed)(struct watch *watch))
{
    watch->poll.data = closed;
    uv_close((uv_handle_t *)&watch->poll, closed ? on_close : NULL);
}
