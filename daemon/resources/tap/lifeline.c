#include "lifeline.h"

#include "operations.h"
#include "taps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AGAIN_MS = 20,
    ATTEMPTS_MAX = 100, /* 2 s: udev(7) works for some milliseconds, and more while many come */
};

/* --- One ----------------------------------------------------------------------------------- */

static void free_lifeline(struct watch *watch)
{
    free(watch);
}

/* Only an end of all writers is watched for, not what they write: that is POLLHUP, which libuv
 * gives as UV_DISCONNECT. */
static void on_end(struct watch *watch, int events)
{
    struct lifeline *lifeline = (struct lifeline *)watch;

    (void)events;
    watch_start(watch, 0);
    tap_lose_holder(lifeline->tap);
}

static struct lifeline *new_lifeline(const char *name, int fd)
{
    struct lifeline *lifeline = calloc(1, sizeof *lifeline);

    if (!lifeline) {
        close(fd);
        return NULL;
    }
    lifeline->fd = fd;
    snprintf(lifeline->name, sizeof lifeline->name, "%s", name);
    return lifeline;
}

/* False: the loop cannot watch it. */
static bool give(struct lifeline *lifeline, struct tap *tap)
{
    uv_loop_t *loop = tap->taps->host.loop;

    lifeline->tap = tap;
    tap->lifeline = lifeline;
    if (!loop)
        return true;
    lifeline->watched = watch_init(&lifeline->watch, loop, lifeline->fd, on_end, NULL) == 0;
    if (lifeline->watched)
        watch_start(&lifeline->watch, UV_DISCONNECT);
    return lifeline->watched;
}

static void end(struct lifeline *lifeline)
{
    int fd = lifeline->fd;

    if (lifeline->watched)
        watch_close(&lifeline->watch, free_lifeline);
    else
        free(lifeline);
    close(fd);
}

bool lifeline_begin(struct tap *tap, int fd)
{
    struct lifeline *lifeline = new_lifeline(tap->config.name, fd);

    return lifeline && give(lifeline, tap);
}

void lifeline_end(struct tap *tap)
{
    if (tap->lifeline)
        end(tap->lifeline);
    tap->lifeline = NULL;
}

/* --- Those that came over ------------------------------------------------------------------ */

void lifelines_init(struct lifelines *lifelines, struct taps *taps)
{
    lifelines->taps = taps;
    LIST_INIT(&lifelines->inherited);
}

bool lifelines_inherit(struct lifelines *lifelines, const char *name, int fd)
{
    size_t length = strlen(TAP_LIFELINE_PREFIX);
    struct lifeline *lifeline;

    if (strncmp(name, TAP_LIFELINE_PREFIX, length) != 0)
        return false;
    lifeline = new_lifeline(name + length, fd);
    if (lifeline)
        LIST_INSERT_HEAD(&lifelines->inherited, lifeline, in_list);
    return true;
}

static struct lifeline *find(const struct lifelines *lifelines, const char *tap)
{
    struct lifeline *lifeline;

    LIST_FOREACH (lifeline, &lifelines->inherited, in_list)
        if (strcmp(lifeline->name, tap) == 0)
            return lifeline;
    return NULL;
}

bool lifelines_have(const struct lifelines *lifelines, const char *tap)
{
    return find(lifelines, tap) != NULL;
}

void lifelines_adopt(struct tap *tap)
{
    struct lifeline *lifeline = find(&tap->taps->lifelines, tap->config.name);

    if (!lifeline)
        return;
    LIST_REMOVE(lifeline, in_list);
    give(lifeline, tap);
}

static void end_inherited(struct lifelines *lifelines)
{
    struct lifeline *lifeline;

    while ((lifeline = LIST_FIRST(&lifelines->inherited))) {
        LIST_REMOVE(lifeline, in_list);
        end(lifeline);
    }
}

void lifelines_settle(struct lifelines *lifelines)
{
    struct keeper_request request = {.operation = KEEPER_CLOSE_TAP};
    const struct lifeline *lifeline;

    LIST_FOREACH (lifeline, &lifelines->inherited, in_list) {
        if (taps_find_tap(lifelines->taps, lifeline->name))
            continue; /* the name is another's by now */
        memcpy(request.tap.name, lifeline->name, sizeof request.tap.name);
        keeper_tell(lifelines->taps->host.keeper, &request);
    }
    end_inherited(lifelines);
}

/* --- Devices that are not there yet -------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    taps_try_again(timer->data);
}

bool lifelines_try_again(struct tap *tap)
{
    struct lifelines *lifelines = &tap->taps->lifelines;

    if (!tap->taps->host.loop || tap->attempts == ATTEMPTS_MAX)
        return false;
    tap->attempts++;
    if (!lifelines->has_timer) {
        uv_timer_init(tap->taps->host.loop, &lifelines->timer);
        lifelines->timer.data = lifelines->taps;
        lifelines->has_timer = true;
    }
    if (!uv_is_active((uv_handle_t *)&lifelines->timer))
        uv_timer_start(&lifelines->timer, on_timer, AGAIN_MS, 0);
    return true;
}

void lifelines_stop(struct lifelines *lifelines)
{
    struct tap *tap;

    if (lifelines->has_timer)
        uv_close((uv_handle_t *)&lifelines->timer, NULL);
    lifelines->has_timer = false;
    TAILQ_FOREACH (tap, &lifelines->taps->order, in_order)
        lifeline_end(tap);
    end_inherited(lifelines);
}
