/* The length of a frame by its own headers: more bytes never change what fewer have said. */
#include "framing/framing.h"
#include "fuzz.h"

#include <string.h>

enum { NEVER_SHORT = 29 };

/* In memory that ends with the bytes. */
static enum framing_found infer(const uint8_t *bytes, size_t n, struct framing_measure *ret)
{
    uint8_t *copy = malloc(n ? n : 1);
    enum framing_found found;

    memcpy(copy, bytes, n);
    *ret = (struct framing_measure){0};
    found = framing_infer(copy, n, ret);
    free(copy);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct framing_measure all, some;
    enum framing_found found = infer(bytes, n, &all);

    must(found != FRAMING_SHORT || n < NEVER_SHORT, "so many bytes are enough");
    must((found == FRAMING_UNKNOWN) == (all.why != NULL), "what is unknown has a sentence");
    must(found != FRAMING_LENGTH ||
             (all.length >= 34 && all.length <= framing_row(FRAMING_UNFRAMED)->frame_max),
         "a length is within its bounds");
    for (size_t less = 0; less < n && less <= NEVER_SHORT; less++) {
        enum framing_found before = infer(bytes, less, &some);

        must(before == FRAMING_SHORT ||
                 (before == found && some.length == all.length && some.why == all.why),
             "more bytes do not change it");
    }
    return 0;
}
