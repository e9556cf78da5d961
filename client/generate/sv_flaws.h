/* What a stream does wrong on purpose, to try receivers: frames that are left out, or sent twice.
 * smpCnt goes on as if nothing had happened. Pure code. */
#ifndef NB_SV_FLAWS_H
#define NB_SV_FLAWS_H

#include <stdint.h>

enum sv_fate { SV_FATE_SEND, SV_FATE_DROP, SV_FATE_TWICE };

enum { SV_FLAWS_MAX = 32 };

struct sv_flaw {
    enum sv_fate fate;
    uint64_t first, count; /* frames, from the start of the stream */
    uint64_t every;        /* they come again each so many frames; 0: once */
};

struct sv_flaws {
    unsigned count;
    struct sv_flaw flaw[SV_FLAWS_MAX];
};

/* Adds what the text says of a stream of so many frames a second, `rate` by `asdus`:
 *
 *     3@2.5    3 frames from 2.5 s on
 *     1/100    the last one of each 100
 *
 * Returns NULL, or what is wrong, a sentence without its full stop. */
const char *sv_flaws_add(struct sv_flaws *flaws, enum sv_fate fate, const char *text, uint32_t rate,
                         unsigned asdus);

/* What becomes of this frame: of several flaws the last one that names it. */
enum sv_fate sv_fate(const struct sv_flaws *flaws, uint64_t frame);

/* The first frame behind this one to which another fate may come, for those who plan ahead;
 * UINT64_MAX: there is none. */
uint64_t sv_fate_end(const struct sv_flaws *flaws, uint64_t frame);

#endif
