/* A link: its life, and what is known of it. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MTU_DEFAULT = 1500, MTU_LEAST = 576, MTU_MOST = 65521 };

/* --- What went wrong ----------------------------------------------------------------------- */

int link_fail(struct link *link, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(link->problem, sizeof link->problem, format, arguments);
    va_end(arguments);
    return error;
}

const char *link_problem(const struct link *link)
{
    return link->problem;
}

/* What clients do may be the reason, so it has a rate. */
void link_warn(struct link *link, const char *format, ...)
{
    char sentence[PROBLEM_MAX];
    va_list arguments;

    if (!link->events.warned || !bucket_take(&link->warnings, uv_hrtime()))
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    link->events.warned(link, sentence, link->config.context);
}

/* --- Turns --------------------------------------------------------------------------------- */

static void on_patience(uv_timer_t *timer)
{
    struct link *link = timer->data;

    link->now = uv_hrtime();
    link_resume_tap(link);
}

/* Ports that have read more than a turn's frames go on, each a turn. */
static void on_idle(uv_idle_t *idle)
{
    struct link *link = idle->data;
    struct port_set behind = link->behind;

    link->now = uv_hrtime();
    PORT_SET_FOREACH(number, &behind)
    {
        if (link->ports[number])
            link->ports[number]->kind->go_on(link->ports[number]);
        link_flush(link);
    }
    if (port_set_is_empty(&link->behind))
        uv_idle_stop(idle);
}

void link_go_on(struct link *link)
{
    if (!uv_is_active((uv_handle_t *)&link->idle))
        uv_idle_start(&link->idle, on_idle);
}

static void on_report(uv_timer_t *timer)
{
    struct link *link = timer->data;

    link->now = uv_hrtime();
    if (link->events.report)
        link->events.report(link, link->config.context);
}

int link_report_every(struct link *link, unsigned milliseconds)
{
    if (milliseconds == 0)
        return uv_timer_stop(&link->report);
    return uv_timer_start(&link->report, on_report, milliseconds, milliseconds);
}

/* --- Beginning ----------------------------------------------------------------------------- */

static bool complete(struct link_config *config)
{
    if (!config->mtu)
        config->mtu = MTU_DEFAULT;
    if (!config->clients)
        config->clients = LINK_CLIENTS_DEFAULT;
    if (!config->macs)
        config->macs = LINK_MACS;
    return config->mtu >= MTU_LEAST && config->mtu <= MTU_MOST &&
           config->clients <= LINK_CLIENTS_MAX && config->macs <= LINK_TAP_MACS;
}

static bool make_switch(struct link *link)
{
    struct switch_config config = {
        .ports = link->config.clients + 1,
        .macs = LINK_TAP_MACS + link->config.clients * link->config.macs,
    };
    size_t bytes = switch_bytes(config.ports, config.macs);

    uv_random(NULL, NULL, config.seed, sizeof config.seed, 0, NULL);
    link->switch_memory = malloc(bytes);
    if (link->switch_memory)
        link->sw = switch_init(link->switch_memory, bytes, &config);
    return link->sw != NULL;
}

static void init_handles(struct link *link)
{
    uv_idle_init(&link->loop, &link->idle);
    uv_timer_init(&link->loop, &link->patience);
    uv_timer_init(&link->loop, &link->report);
    link->idle.data = link->patience.data = link->report.data = link;
    link->patience.timer_cb = on_patience;
    link->handles = 3;
}

static void free_link(struct link *link)
{
    free(link->switch_memory);
    free(link->scratch);
    free(link);
}

int link_new(struct link **ret_link, const struct link_config *config)
{
    static const struct switch_rate warnings = {.per_second = 2, .burst = 20};
    struct link *link = calloc(1, sizeof *link);

    if (!link)
        return -ENOMEM;
    link->config = *config;
    if (!complete(&link->config)) {
        free(link);
        return -EINVAL;
    }
    if (config->events)
        link->events = *config->events;
    link->observed = link->events.frame != NULL;
    link->prefix = config->offload ? OFFLOAD_HEADER : 0;
    link->mtu_limit = link->config.mtu + FRAME_OVERHEAD;
    link->limit = config->offload ? OFFLOAD_LIMIT : link->mtu_limit;
    link->scratch = malloc((size_t)link->limit + 1);
    if (!link->scratch || !make_switch(link) || uv_loop_init(&link->loop) < 0) {
        free_link(link);
        return -ENOMEM;
    }
    bucket_fill(&link->warnings, &warnings);
    link->now = uv_hrtime();
    init_handles(link);
    *ret_link = link;
    return 0;
}

/* --- End ----------------------------------------------------------------------------------- */

void link_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;

    link->handles--;
}

static void close_own(struct link *link)
{
    uv_close((uv_handle_t *)&link->idle, link_closed);
    uv_close((uv_handle_t *)&link->patience, link_closed);
    uv_close((uv_handle_t *)&link->report, link_closed);
    for (unsigned i = 0; link->with_signals && i < LINK_SIGNALS; i++)
        uv_close((uv_handle_t *)&link->signals[i], link_closed);
}

void link_free(struct link *link)
{
    if (!link)
        return;
    link->ended = true;
    while (link->places) {
        struct place *place = link->places;

        link->places = place->next;
        place_close(place);
    }
    for (unsigned i = 0; i <= link->config.clients; i++)
        if (link->ports[i])
            port_end(link->ports[i], "the link ends");
    capture_end(link);
    close_own(link);
    while (link->handles > 0)
        uv_run(&link->loop, UV_RUN_NOWAIT);
    uv_loop_close(&link->loop);
    free_link(link);
}

void link_end(struct link *link, int result)
{
    if (link->ended)
        return;
    link->ended = true;
    link->result = result;
    uv_stop(&link->loop);
}

void link_stop(struct link *link)
{
    link_end(link, 0);
}

void link_end_if_idle(struct link *link)
{
    if (link->clients == 0 && !link->places)
        link_end(link, 0);
}

int link_run(struct link *link)
{
    link_end_if_idle(link);
    if (!link->ended)
        uv_run(&link->loop, UV_RUN_DEFAULT);
    return link->result;
}

/* --- Signals ------------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    link_stop(signal->data);
}

int link_end_by_signals(struct link *link)
{
    static const int numbers[LINK_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    if (link->with_signals)
        return 0;
    for (unsigned i = 0; i < LINK_SIGNALS; i++) {
        uv_signal_init(&link->loop, &link->signals[i]);
        link->signals[i].data = link;
        uv_signal_start(&link->signals[i], on_signal, numbers[i]);
    }
    link->handles += LINK_SIGNALS;
    link->with_signals = true;
    return 0;
}

/* --- What is known ------------------------------------------------------------------------- */

uv_loop_t *link_loop(struct link *link)
{
    return &link->loop;
}

uint64_t link_now(const struct link *link)
{
    return link->now;
}

void link_visit(struct link *link, void (*visit)(const struct link_port *port, void *context),
                void *context)
{
    struct link_port told;

    for (unsigned i = 0; i <= link->config.clients; i++)
        if (link->ports[i]) {
            port_describe(link->ports[i], &told);
            visit(&told, context);
        }
}
