/* The action DIAGNOSE_TAP: what the doctor found, a piece of work at a time. */
#include "doctor.h"

#include <stdlib.h>

struct diagnosis {
    struct producer producer; /* first */
    struct tap_doctor doctor;
};

static bool examine(struct producer *producer, struct json *out)
{
    struct tap_doctor *doctor = &((struct diagnosis *)producer)->doctor;

    if (tap_doctor_go_on(doctor))
        return true;
    findings_write(out, &doctor->findings, "Nothing was found that keeps frames from passing.");
    reply_close(out);
    return false;
}

static void destroy(struct producer *producer)
{
    free(producer);
}

enum outcome handle_diagnose_tap(struct call *call, const struct args_diagnose_tap *args)
{
    struct reader reader = call_reader(call);
    struct error error;
    const struct tap *tap = find_readable_tap(call, args->name.text, &error);
    struct diagnosis *diagnosis;

    if (!tap) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    diagnosis = malloc(sizeof *diagnosis);
    if (!diagnosis) {
        call->out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    diagnosis->producer = (struct producer){examine, destroy};
    tap_doctor_begin(&diagnosis->doctor, tap, &reader);
    reply_open(call, "The doctor's findings.");
    reply_produce(call, &diagnosis->producer);
    return OUTCOME_REPLIED;
}
