/* The action DIAGNOSE: what the doctor found, and in one sentence what matters most. */
#include "services.h"

#include "resources/mroute/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

static const struct finding *worst_finding(const struct findings *findings)
{
    const struct finding *worst = &findings->list[0];

    for (unsigned i = 1; i < findings->count; i++)
        if (findings->list[i].verdict > worst->verdict)
            worst = &findings->list[i];
    return worst;
}

/* A line that is not in force may be the one that is missed. */
static void add_mistake(const struct services *services, struct findings *findings)
{
    const char *mistake = file_mistakes_first(&services->mistakes);
    struct finding *finding;

    if (!mistake)
        return;
    if (findings->count == FINDINGS_MAX) {
        findings->omitted++;
        return;
    }
    finding = &findings->list[findings->count++];
    *finding = (struct finding){.check = "files", .verdict = VERDICT_WARNING};
    snprintf(finding->message, sizeof finding->message, "%s%s",
             services->policy.closed ? "The service answers only administrators: " : "", mistake);
    snprintf(finding->hint, sizeof finding->hint,
             "netbrokerd --check-config; then systemctl reload netbrokerd");
}

static void write_finding(struct json *out, const struct finding *finding)
{
    json_open(out, '{');
    json_member_string(out, "check", finding->check);
    json_member_string(out, "verdict", verdict_word(finding->verdict));
    json_member_string(out, "message", finding->message);
    json_member_string(out, "hint", finding->hint);
    json_close(out, '}');
}

static void write_findings(struct json *out, const struct findings *findings)
{
    const struct finding *worst = worst_finding(findings);

    json_key(out, "findings");
    json_open(out, '[');
    for (unsigned i = 0; i < findings->count; i++)
        write_finding(out, &findings->list[i]);
    json_close(out, ']');
    json_member_unsigned(out, "omitted", findings->omitted);
    json_member_string(out, "summary",
                       worst->verdict >= VERDICT_WARNING
                           ? worst->message
                           : "Nothing was found that keeps packets from being forwarded.");
}

static void reply_findings(struct call *call, const struct flow_watch *watch)
{
    const struct services *services = call->services;
    struct findings *findings = calloc(1, sizeof *findings);
    struct json *out = reply_open(call, "The doctor's findings.");

    if (!findings) {
        out->failed = true; /* the session answers that there is no memory */
        return;
    }
    doctor_examine(services->mroute, services->links, &call->request.args.diagnose, watch,
                   findings);
    add_mistake(services, findings);
    write_findings(out, findings);
    reply_close(out);
    free(findings);
}

/* --- Watching the flow first --------------------------------------------------------------- */

enum {
    LOOK_INTERVAL_MS = 100,
    /* Each look takes up to some milliseconds, in which nobody else is served. */
    OBSERVATIONS_MAX = 16,
    OBSERVATIONS_PER_USER_MAX = 4,
};

/* A watch outlives its call until the loop has closed its timer. */
struct observation {
    uv_timer_t timer;
    LIST_ENTRY(observation) in_services; /* as long as the timer runs */
    uid_t uid;
    struct flow_watch watch;
    struct observed_call *call; /* as long as the timer runs */
    uint64_t until;             /* in the loop's milliseconds */
};

struct observed_call {
    struct deferral deferral; /* first: the session frees it */
    struct observation *observation;
};

static void free_observation(uv_handle_t *timer)
{
    free(timer->data);
}

static void end_observation(struct observation *observation)
{
    LIST_REMOVE(observation, in_services);
    uv_close((uv_handle_t *)&observation->timer, free_observation);
}

static bool may_observe(const struct call *call, struct error *error)
{
    const struct observation *other;
    unsigned all = 0, own = 0;

    LIST_FOREACH (other, &call->services->observations, in_services) {
        all++;
        own += other->uid == call->peer->uid;
    }
    if (own >= OBSERVATIONS_PER_USER_MAX || all >= OBSERVATIONS_MAX)
        return error_set(error, ERROR_LIMIT, "observe",
                         "The doctor watches %u flows already, %u of them for you; at most are %d "
                         "and %d. Ask again when one has ended, or with 'observe' 0.",
                         all, own, OBSERVATIONS_MAX, OBSERVATIONS_PER_USER_MAX);
    return true;
}

static void answer(struct call *call, const void *watch)
{
    reply_findings(call, watch);
}

static void on_look(uv_timer_t *timer)
{
    struct observation *observation = timer->data;
    struct deferral *deferral = &observation->call->deferral;
    const struct services *services = deferral->call.services;
    bool goes_on = doctor_watch_look(services->mroute, services->links,
                                     &deferral->call.request.args.diagnose, &observation->watch);

    if (goes_on && uv_now(timer->loop) < observation->until)
        return;
    end_observation(observation);
    session_answer(deferral, answer, &observation->watch);
}

static void cancel(struct deferral *deferral)
{
    end_observation(((struct observed_call *)deferral)->observation);
}

/* False: there is nothing to watch, or no memory. */
static bool observe(struct call *call, const struct args_diagnose *args)
{
    struct services *services = call->services;
    struct observed_call *waiting = calloc(1, sizeof *waiting);
    struct observation *observation = calloc(1, sizeof *observation);

    if (observation)
        observation->watch.counters = services->counters;
    if (waiting && observation &&
        doctor_watch_begin(services->mroute, services->links, args, &observation->watch) &&
        session_defer(&waiting->deferral, call)) {
        waiting->deferral.cancel = cancel;
        waiting->observation = observation;
        observation->call = waiting;
        observation->uid = call->peer->uid;
        LIST_INSERT_HEAD(&services->observations, observation, in_services);
        uv_timer_init(services->loop, &observation->timer);
        observation->timer.data = observation;
        observation->until = uv_now(services->loop) + args->observe;
        uv_timer_start(&observation->timer, on_look,
                       args->observe < LOOK_INTERVAL_MS ? args->observe : LOOK_INTERVAL_MS,
                       LOOK_INTERVAL_MS);
        return true;
    }
    free(waiting);
    free(observation);
    return false;
}

enum outcome handle_diagnose(struct call *call, const struct args_diagnose *args)
{
    bool wanted = args->observe > 0 && call->services->loop;
    struct error error;

    if (wanted && !may_observe(call, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    if (wanted && observe(call, args))
        return OUTCOME_DEFERRED;
    reply_findings(call, NULL);
    return OUTCOME_REPLIED;
}
