#include "keeper_end.h"

#include "fdpass.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void count_ready(void *context)
{
    ((struct keeper_end *)context)->ready++;
}

static void ignore(void *context)
{
    (void)context;
}

static bool run_at_once(void *context, const struct errand *errand)
{
    struct keeper_end *end = context;

    errand_do(errand, &end->operations);
    operations_errands_ended(&end->operations);
    return true;
}

static void notify(void *context, const struct keeper_answer *notice)
{
    static const struct fdpass_target peer = {NULL, 0};
    const struct keeper_end *end = context;

    fdpass_send(end->channel.answers, &peer, notice, sizeof *notice, -1);
}

static void on_request(uv_poll_t *poll, int status, int events)
{
    struct keeper_end *end = poll->data;

    (void)status;
    (void)events;
    if (operations_take(&end->operations, &end->channel))
        return;
    end->ended = true;
    uv_poll_stop(poll);
}

void keeper_end_start(struct keeper_end *end, uv_loop_t *loop)
{
    int pair[2], ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(ends) < 0)
        abort();
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    end->channel = (struct channel){ends[0], pair[0]};
    end->operations.config = &end->config;
    end->operations.kept = &end->kept;
    end->operations.ready = count_ready;
    end->operations.alive = ignore;
    end->operations.defer = run_at_once;
    end->operations.notify = notify;
    end->operations.context = end;
    operations_begin(&end->operations);
    uv_poll_init(loop, &end->poll, end->channel.requests);
    end->poll.data = end;
    uv_poll_start(&end->poll, UV_READABLE, on_request);
    end->link.channel = (struct channel){ends[1], pair[1]};
    end->link.lost = ignore;
    end->link.context = end;
    keeper_link_start(&end->link, loop);
}

void keeper_end_listen(struct keeper_end *end, bool listens)
{
    if (listens)
        uv_poll_start(&end->poll, UV_READABLE, on_request);
    else
        uv_poll_stop(&end->poll);
}

static void close_channel(uv_handle_t *handle)
{
    struct keeper_end *end = handle->data;

    close(end->channel.requests);
    close(end->channel.answers);
    close(end->link.channel.requests);
    close(end->link.channel.answers);
}

void keeper_end_stop(struct keeper_end *end)
{
    keeper_link_stop(&end->link);
    uv_close((uv_handle_t *)&end->poll, close_channel);
    for (size_t i = 0; i < end->kept.count; i++)
        close(end->kept.entries[i].fd);
}
