/* What a stream does wrong on purpose: the keys "drop" and "duplicate". */
#include "spec_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Each time is two segments, of which the service queues 16: those of an eighth of a second. */
enum { TIMES_A_SECOND = 50 };

struct taking {
    struct spec_flaws *flaws;
    enum sv_fate fate;
};

static bool take_one(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;
    struct spec_flaws *flaws = taking->flaws;

    if (flaws->count == SV_FLAWS_MAX)
        return reader_wrong(reader, "is one more than %d of drop and duplicate, which is the most",
                            SV_FLAWS_MAX);
    flaws->flaw[flaws->count].fate = taking->fate;
    return reader_text(reader, item, SPEC_FLAW_MAX, flaws->flaw[flaws->count++].text);
}

bool spec_take_flaws(struct reader *reader, const cJSON *item, enum sv_fate fate,
                     struct spec_flaws *ret)
{
    struct taking taking = {ret, fate};

    ret->is_given = true;
    ret->has_twice |= fate == SV_FATE_TWICE;
    return cJSON_IsString(item)
               ? take_one(reader, item, &taking)
               : reader_list(reader, item, SV_FLAWS_MAX, "texts", take_one, &taking);
}

static bool judge_times(const struct sv_flaws *flaws, double frames, struct spec_error *error)
{
    double times = 0;

    for (unsigned i = 0; i < flaws->count; i++)
        times += flaws->flaw[i].every ? frames / (double)flaws->flaw[i].every : 0;
    if (times <= TIMES_A_SECOND)
        return true;
    snprintf(error->text, sizeof error->text,
             "frames are to be left out or sent twice %.10g times a second, and the service can do "
             "that %d times: of %.10g frames a second, 1/%.0f would be right",
             times, TIMES_A_SECOND, frames, ceil(frames / TIMES_A_SECOND));
    return false;
}

bool spec_flaws_make(const struct spec_flaws *flaws, uint32_t rate, unsigned asdus,
                     struct sv_flaws *ret, struct spec_error *error)
{
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < flaws->count; i++) {
        const char *wrong =
            sv_flaws_add(ret, flaws->flaw[i].fate, flaws->flaw[i].text, rate, asdus);

        if (wrong) {
            snprintf(error->text, sizeof error->text, "%s '%s' is wrong: %s",
                     flaws->flaw[i].fate == SV_FATE_DROP ? "drop" : "duplicate",
                     flaws->flaw[i].text, wrong);
            return false;
        }
    }
    return judge_times(ret, (double)rate / asdus, error);
}
