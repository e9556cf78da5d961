#include "keeper_link.h"

#include "fdpass.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* #syscalls broker: sendmsg recvmsg fcntl fcntl64 */
static bool send_request(struct keeper_link *link, const struct keeper_request *request)
{
    static const struct fdpass_target peer = {NULL, 0};
    int result = fdpass_send(link->channel, &peer, request, sizeof *request, -1);

    if (result < 0)
        log_line(LOG_ERR, "cannot ask the keeper: %s.", strerror(-result));
    return result >= 0;
}

static void ask(struct keeper_link *link, uint32_t operation, uint8_t family, uint32_t table)
{
    struct keeper_request request = {.operation = operation, .family = family, .table = table};

    send_request(link, &request);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
    struct keeper_link *link = poll->data;
    struct keeper_answer answer;
    int fd;
    int result = fdpass_receive(link->channel, &answer, sizeof answer, &fd);

    (void)status;
    (void)events;
    if (result == -EAGAIN)
        return;
    if (result != 1) {
        link->lost(link->context);
        return;
    }
    answer.owner[sizeof answer.owner - 1] = '\0';
    if (answer.operation == KEEPER_ADD_RULE)
        link->ruled(link->context, &answer);
    else if (answer.operation == KEEPER_OPEN_JOINS)
        link->joins_opened(link->context, (uint8_t)answer.family, fd < 0 ? answer.error : fd);
    else
        link->opened(link->context, &answer, fd);
}

static void on_alive(uv_timer_t *timer)
{
    ask(timer->data, KEEPER_ALIVE, 0, 0);
}

void keeper_link_start(struct keeper_link *link, uv_loop_t *loop)
{
    fcntl(link->channel, F_SETFL, O_NONBLOCK);
    uv_poll_init(loop, &link->poll, link->channel);
    link->poll.data = link;
    uv_poll_start(&link->poll, UV_READABLE, on_answer);
    uv_timer_init(loop, &link->alive);
    link->alive.data = link;
    uv_timer_start(&link->alive, on_alive, 0, ALIVE_INTERVAL_MS);
}

void keeper_link_stop(struct keeper_link *link)
{
    uv_close((uv_handle_t *)&link->poll, NULL);
    uv_close((uv_handle_t *)&link->alive, NULL);
}

void keeper_link_ready(struct keeper_link *link)
{
    ask(link, KEEPER_READY, 0, 0);
}

void keeper_link_open_mroute(struct keeper_link *link, uint8_t family, uint32_t table)
{
    ask(link, KEEPER_OPEN_MROUTE, family, table);
}

void keeper_link_close_mroute(struct keeper_link *link, uint8_t family, uint32_t table)
{
    ask(link, KEEPER_CLOSE_MROUTE, family, table);
}

bool keeper_link_add_rule(struct keeper_link *link, uint8_t family, uint32_t table,
                          unsigned ifindex)
{
    struct keeper_request request = {
        .operation = KEEPER_ADD_RULE,
        .family = family,
        .table = table,
        .ifindex = ifindex,
    };

    return send_request(link, &request);
}

void keeper_link_del_rule(struct keeper_link *link, uint8_t family, uint32_t table, const char *iif)
{
    struct keeper_request request = {
        .operation = KEEPER_DEL_RULE,
        .family = family,
        .table = table,
    };

    strncpy(request.iif, iif, INTERFACE_NAME_MAX);
    send_request(link, &request);
}

void keeper_link_status(struct keeper_link *link, const char *text)
{
    struct keeper_request request = {.operation = KEEPER_STATUS};

    if (strcmp(text, link->told) == 0)
        return;
    snprintf(link->told, sizeof link->told, "%s", text);
    snprintf(request.text, sizeof request.text, "%s", text);
    send_request(link, &request);
}

void keeper_link_open_joins(struct keeper_link *link, uint8_t family)
{
    ask(link, KEEPER_OPEN_JOINS, family, 0);
}

void keeper_link_joined(struct keeper_link *link)
{
    ask(link, KEEPER_JOINED, 0, 0);
}
