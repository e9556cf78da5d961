#include "healing.h"

#include "broker/wire/call.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LOG_EVERY_MS = 10000 };

/* --- What is told -------------------------------------------------------------------------- */

void publish_healed(struct events *events, const struct mroute_healed *healed)
{
    struct target target = {.table = healed->table};
    struct json payload = {.limit = OUT_MAX};

    if (!events_wanted(events, "mfc.healed"))
        return;
    json_open(&payload, '{');
    json_member_string(&payload, "family", family_name(healed->family));
    json_member_unsigned(&payload, "table", healed->table);
    json_member_unsigned(&payload, "restored", healed->restored);
    json_member_unsigned(&payload, "forgotten", healed->forgotten);
    json_member_unsigned(&payload, "deleted", healed->deleted);
    json_member_unsigned(&payload, "vifs", healed->vifs);
    json_member_unsigned(&payload, "rules", healed->rules);
    json_close(&payload, '}');
    events_publish(events, "mfc.healed", &payload,
                   &(struct event_subject){mroute_ops.read_verb, &target, NULL});
    json_clear(&payload);
}

static void log_healed(const struct mroute_healed *healed)
{
    const struct {
        const char *what;
        unsigned count;
    } parts[] = {
        {"routes restored", healed->restored}, {"learned routes forgotten", healed->forgotten},
        {"entries deleted", healed->deleted},  {"VIFs restored", healed->vifs},
        {"rules restored", healed->rules},
    };
    char text[256] = "";

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s %s: %u",
                     text[0] ? "," : ";", parts[i].what, parts[i].count);
    log_line(LOG_WARNING, "another process changed the %s multicast table %u%s.%s",
             family_name(healed->family), healed->table, text,
             healed->fought ? " It goes on, so the next changes stay for up to 8 seconds." : "");
}

void healing_report(struct healing *healing, const struct mroute_healed *healed)
{
    uint64_t now_ms = uv_hrtime() / 1000000;

    publish_healed(healing->events, healed);
    if (healing->logged_ms && now_ms - healing->logged_ms < LOG_EVERY_MS && !healed->fought)
        return;
    healing->logged_ms = now_ms;
    log_healed(healed);
}

/* --- In the loop --------------------------------------------------------------------------- */

static void on_due(uv_timer_t *timer);

static void follow(struct healing *healing, struct mroute_listening listening)
{
    watch_start(&healing->changes, listening.listen ? UV_READABLE : 0);
    if (listening.heal_ms)
        uv_timer_start(&healing->timer, on_due, listening.heal_ms, 0);
}

static void on_due(uv_timer_t *timer)
{
    struct healing *healing = timer->data;

    follow(healing, mroute_heal(healing->mroute, uv_hrtime() / 1000000));
}

static void on_changes(struct watch *watch, int events)
{
    struct healing *healing = watch->context;

    (void)events;
    follow(healing, mroute_read_changes(healing->mroute, uv_hrtime() / 1000000));
}

void healing_start(struct healing *healing, uv_loop_t *loop, struct mroute *mroute,
                   struct events *events)
{
    int fd = mroute_changes_fd(mroute);

    *healing = (struct healing){.mroute = mroute, .events = events};
    uv_timer_init(loop, &healing->timer);
    healing->timer.data = healing;
    healing->listens = fd >= 0 && watch_init(&healing->changes, loop, fd, on_changes, healing) == 0;
    if (healing->listens)
        watch_start(&healing->changes, UV_READABLE);
    else
        log_line(LOG_ERR, "what other processes change in multicast tables goes unseen: %s.",
                 strerror(fd < 0 ? -fd : ENOMEM));
}

void healing_stop(struct healing *healing)
{
    uv_close((uv_handle_t *)&healing->timer, NULL);
    if (healing->listens)
        watch_close(&healing->changes, NULL);
}
