/* The action DIAGNOSE: what the doctor found, and in one sentence what matters most. */

#include "actions.h"
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Who asks from elsewhere sees other interfaces than the service has, by the same names. */
static void add_netns(const struct call *call, struct findings *findings)
{
    struct finding *finding = call->peer->elsewhere ? findings_add(findings) : NULL;

    if (!finding)
        return;
    *finding = (struct finding){.check = "netns", .verdict = VERDICT_WARNING};
    snprintf(finding->message, sizeof finding->message,
             "You are in another network namespace than the service, and the names of interfaces "
             "mean those of the service.");
    snprintf(finding->hint, sizeof finding->hint, "ip netns identify; netbroker vif show");
}

/* A line that is not in force may be the one that is missed. */
static void add_mistake(const struct call *call, struct findings *findings)
{
    bool closed;
    const char *mistake = call_first_mistake(call, &closed);
    struct finding *finding;

    finding = mistake ? findings_add(findings) : NULL;
    if (!finding)
        return;
    *finding = (struct finding){.check = "files", .verdict = VERDICT_WARNING};
    snprintf(finding->message, sizeof finding->message, "%s%s",
             closed ? "The service answers only administrators: " : "", mistake);
    snprintf(finding->hint, sizeof finding->hint,
             "netbrokerd --check-config; then systemctl reload netbrokerd");
}

/* --- The way of a question ----------------------------------------------------------------- */

/* The doctor works as a job of who asks: first he finds the route, then the flow is watched for a
 * moment, where that is asked for, then he examines all. Each look at the flow is a job as well. */
struct diagnosis {
    struct slice_job job; /* first */
    bool works;
    struct slices *slices;           /* borrowed */
    struct pending *pending;         /* as long as the diagnosis */
    struct reader reader;            /* of its call */
    struct doctor doctor;            /* asks about the request of its call */
    struct findings *findings;       /* owned; NULL before the examination, or there is no memory */
    struct observation *observation; /* owned; NULL: nothing is watched */
};

/* A watch outlives its call until the loop has closed its timer. */
struct observation {
    uv_timer_t timer;
    LIST_ENTRY(observation) in_kind; /* as long as the timer runs */
    uid_t uid;
    struct flow_watch watch;
    struct diagnosis *diagnosis; /* as long as the timer runs */
    uint64_t until;              /* in the loop's milliseconds */
    bool more;                   /* to look again may tell more */
};

static void free_observation(uv_handle_t *timer)
{
    free(timer->data);
}

/* What it has seen is there until the loop goes on. */
static void end_observation(struct observation *observation)
{
    LIST_REMOVE(observation, in_kind);
    uv_timer_stop(&observation->timer);
    observation->diagnosis = NULL;
}

static void forget_observation(struct diagnosis *diagnosis)
{
    struct observation *observation = diagnosis->observation;

    diagnosis->observation = NULL;
    if (!observation)
        return;
    if (observation->diagnosis)
        end_observation(observation);
    uv_close((uv_handle_t *)&observation->timer, free_observation);
}

static void free_diagnosis(struct diagnosis *diagnosis)
{
    doctor_end(&diagnosis->doctor);
    free(diagnosis->findings);
    free(diagnosis);
}

static enum slice_step search_some(struct slice_job *job)
{
    struct diagnosis *diagnosis = (struct diagnosis *)job;

    return doctor_go_on(&diagnosis->doctor, NULL) ? SLICE_MORE : SLICE_DONE;
}

/* A user's jobs are done one after the other, so there are few findings at a time. */
static enum slice_step examine_some(struct slice_job *job)
{
    struct diagnosis *diagnosis = (struct diagnosis *)job;

    if (!diagnosis->findings)
        diagnosis->findings = calloc(1, sizeof *diagnosis->findings);
    return diagnosis->findings && doctor_go_on(&diagnosis->doctor, diagnosis->findings)
               ? SLICE_MORE
               : SLICE_DONE;
}

static void end_work(struct slice_job *job)
{
    struct diagnosis *diagnosis = (struct diagnosis *)job;

    diagnosis->works = false;
    pending_resume(diagnosis->pending, NULL);
}

static bool concerns_nobody(const struct slice_job *job, const struct request *request)
{
    (void)job;
    (void)request;
    return false;
}

static void begin_work(struct diagnosis *diagnosis, enum slice_step (*step)(struct slice_job *job),
                       pending_step *then)
{
    struct pending *pending = diagnosis->pending;

    diagnosis->job = (struct slice_job){.step = step, .end = end_work, .concerns = concerns_nobody};
    diagnosis->works = true;
    pending->step = then;
    call_begin_work(&pending->call, &diagnosis->job);
}

static enum outcome answer(struct pending *pending)
{
    struct diagnosis *diagnosis = pending->context;
    struct findings *findings = diagnosis->findings;
    struct call *call = &pending->call;
    struct json *out = reply_open(call, "The doctor's findings.");

    if (findings) {
        add_netns(call, findings);
        add_mistake(call, findings);
        findings_write(out, findings, "Nothing was found that keeps packets from being forwarded.");
        reply_close(out);
    } else {
        out->failed = true; /* the session answers that there is no memory */
    }
    forget_observation(diagnosis);
    free_diagnosis(diagnosis);
    return OUTCOME_REPLIED;
}

/* --- Watching the flow first --------------------------------------------------------------- */

enum {
    LOOK_INTERVAL_MS = 100,
    /* Each look is a piece of some tenths of a millisecond. */
    OBSERVATIONS_MAX = 16,
    OBSERVATIONS_PER_USER_MAX = 4,
};

static bool may_observe(const struct call *call, struct error *error)
{
    const struct observation *other;
    unsigned all = 0, own = 0;

    LIST_FOREACH (other, &mroute_kind_of(call)->observations, in_kind) {
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

static enum outcome examine(struct pending *pending)
{
    struct diagnosis *diagnosis = pending->context;

    doctor_begin_examination(&diagnosis->doctor,
                             diagnosis->observation ? &diagnosis->observation->watch : NULL);
    begin_work(diagnosis, examine_some, answer);
    return OUTCOME_PENDING;
}

static enum slice_step look(struct slice_job *job)
{
    struct diagnosis *diagnosis = (struct diagnosis *)job;
    struct observation *observation = diagnosis->observation;

    observation->more = doctor_watch_look(&diagnosis->doctor.inquiry, &observation->watch);
    return SLICE_DONE;
}

static void end_look(struct slice_job *job)
{
    struct diagnosis *diagnosis = (struct diagnosis *)job;
    struct observation *observation = diagnosis->observation;

    diagnosis->works = false;
    if (observation->more && uv_now(observation->timer.loop) < observation->until)
        return;
    end_observation(observation);
    pending_resume(diagnosis->pending, NULL);
}

/* What is looked at costs time, so it is its user's turn that it waits for. */
static void on_look(uv_timer_t *timer)
{
    struct diagnosis *diagnosis = ((struct observation *)timer->data)->diagnosis;

    if (diagnosis->works)
        return; /* the look before */
    diagnosis->job = (struct slice_job){.step = look, .end = end_look, .concerns = concerns_nobody};
    diagnosis->works = true;
    call_begin_work(&diagnosis->pending->call, &diagnosis->job);
}

/* False: there is nothing to watch, or no memory. */
static bool observe(struct diagnosis *diagnosis)
{
    const struct call *call = &diagnosis->pending->call;
    struct mroute_kind *kind = mroute_kind_of(call);
    uint64_t interval = call->request.args.diagnose.observe;
    struct observation *observation = calloc(1, sizeof *observation);

    if (!observation)
        return false;
    observation->watch.counters = kind->host.counters;
    if (!doctor_watch_begin(&diagnosis->doctor.inquiry, &observation->watch)) {
        free(observation);
        return false;
    }
    diagnosis->observation = observation;
    observation->diagnosis = diagnosis;
    observation->uid = call->peer->uid;
    LIST_INSERT_HEAD(&kind->observations, observation, in_kind);
    uv_timer_init(kind->host.loop, &observation->timer);
    observation->timer.data = observation;
    observation->until = uv_now(kind->host.loop) + interval;
    if (interval > LOOK_INTERVAL_MS)
        interval = LOOK_INTERVAL_MS;
    uv_timer_start(&observation->timer, on_look, interval, LOOK_INTERVAL_MS);
    return true;
}

static bool is_watched(const struct call *call)
{
    return call->request.args.diagnose.observe > 0 && mroute_kind_of(call)->host.loop;
}

/* Others may have begun to watch meanwhile. */
static enum outcome watch_flow(struct pending *pending)
{
    struct diagnosis *diagnosis = pending->context;
    struct error error;

    if (is_watched(&pending->call) && !may_observe(&pending->call, &error)) {
        free_diagnosis(diagnosis);
        reply_error(&pending->call, &error);
        return OUTCOME_REPLIED;
    }
    if (!is_watched(&pending->call) || !observe(diagnosis))
        return examine(pending);
    pending->step = examine;
    return OUTCOME_PENDING;
}

/* --- The action ---------------------------------------------------------------------------- */

static void cancel(struct pending *pending)
{
    struct diagnosis *diagnosis = pending->context;

    if (diagnosis->works)
        slices_cancel(diagnosis->slices, &diagnosis->job);
    forget_observation(diagnosis);
    free_diagnosis(diagnosis);
}

/* False: no memory. */
static bool begin(struct call *call)
{
    const struct mroute_kind *kind = mroute_kind_of(call);
    struct diagnosis *diagnosis = calloc(1, sizeof *diagnosis);
    struct pending *pending = diagnosis ? pending_begin(call, watch_flow) : NULL;

    if (!pending) {
        free(diagnosis);
        return false;
    }
    pending->cancel = cancel;
    pending->context = diagnosis;
    diagnosis->pending = pending;
    diagnosis->slices = kind->host.slices;
    diagnosis->reader = call_reader(&pending->call);
    doctor_begin(&diagnosis->doctor,
                 &(struct inquiry){kind->mroute, kind->host.netifs,
                                   &pending->call.request.args.diagnose, &diagnosis->reader, NULL});
    begin_work(diagnosis, search_some, watch_flow);
    return true;
}

enum outcome handle_diagnose(struct call *call, const struct args_diagnose *args)
{
    struct error error;

    (void)args;
    if ((!is_watched(call) || may_observe(call, &error)) && call_may_work(call, &error)) {
        if (begin(call))
            return OUTCOME_PENDING;
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory for the doctor.");
    }
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
