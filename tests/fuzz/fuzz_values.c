/* Text of the members of a GOOSE data set, a line each, and changes of them: what was taken is
 * written, and read as it was. */
#include "fuzz.h"
#include "goose_values.h"

#include <string.h>

enum { LINE = 1024, LONGEST = 65536 };

static struct goose_values values;

static void check(void)
{
    static uint8_t bytes[LONGEST];
    size_t length = mms_encode(values.values, values.count, bytes, sizeof bytes);
    struct mms_walk walk;
    struct mms_value value;
    unsigned members, count = 0;

    must(length > 0 || values.count == 0, "values are written");
    must(mms_count(&walk, bytes, length, &members) && members == values.members,
         "there are as many members");
    mms_begin(&walk, bytes, length);
    while (mms_next(&walk, &value)) {
        must(count < values.count && value.type == values.values[count].type &&
                 value.depth == values.values[count].depth,
             "it is the same value");
        count++;
    }
    must(count == values.count, "there are as many values");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct iec_time now = {UINT64_C(1800000000) * 1000000000, 10};
    const char *at = (const char *)bytes, *end = at + n;

    memset(&values, 0, sizeof values);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        char line[LINE];

        if (length < sizeof line) {
            memcpy(line, at, length);
            line[length] = '\0';
            if (goose_add(&values, line, now))
                goose_change(&values, line, length, now);
        }
        at += length + (newline != NULL);
    }
    check();
    return 0;
}
