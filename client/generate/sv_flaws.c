#include "sv_flaws.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SECONDS_MAX 1e8
#define FRAMES_MAX  UINT64_C(1000000000000)

static const char wrong[] =
    "it is so many frames at a time in seconds, such as 3@2.5, or of each so many, such as 1/100";

static bool take_number(const char **text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(*text, &end, 10);
    if (!isdigit((unsigned char)**text) || errno || *ret == 0 || *ret > FRAMES_MAX)
        return false;
    *text = end;
    return true;
}

const char *sv_flaws_add(struct sv_flaws *flaws, enum sv_fate fate, const char *text, uint32_t rate,
                         unsigned asdus)
{
    struct sv_flaw flaw = {.fate = fate};
    char *end;
    double seconds;

    if (flaws->count == SV_FLAWS_MAX)
        return "there are at most 32 of them";
    if (!take_number(&text, &flaw.count) || (*text != '@' && *text != '/'))
        return wrong;
    if (*text++ == '/') {
        if (!take_number(&text, &flaw.every) || *text)
            return wrong;
        if (flaw.count > flaw.every)
            return "it is more frames than there are";
        flaw.first = flaw.every - flaw.count;
    } else {
        seconds = strtod(text, &end);
        if (!isdigit((unsigned char)*text) || *end || !(seconds <= SECONDS_MAX))
            return wrong;
        flaw.first = (uint64_t)llround(seconds * rate / asdus);
    }
    flaws->flaw[flaws->count++] = flaw;
    return NULL;
}

static bool has(const struct sv_flaw *flaw, uint64_t frame)
{
    uint64_t first = flaw->first;

    if (flaw->every)
        first += frame / flaw->every * flaw->every;
    return frame >= first && frame - first < flaw->count;
}

enum sv_fate sv_fate(const struct sv_flaws *flaws, uint64_t frame)
{
    enum sv_fate fate = SV_FATE_SEND;

    for (unsigned i = 0; i < flaws->count; i++)
        if (has(&flaws->flaw[i], frame))
            fate = flaws->flaw[i].fate;
    return fate;
}
