/* The scanner: however the bytes are split, it finds the same ends. What the check accepts, it
 * finds whole. */
#include "check.h"
#include "fuzz.h"
#include "scan.h"

#include <string.h>

enum { ENDS_MAX = 64 };

struct ends {
    size_t count;
    size_t at[ENDS_MAX];
    size_t garbage; /* where it stopped; n: nowhere */
};

static void find_ends(const char *bytes, size_t n, size_t piece, struct ends *ret)
{
    struct scan scan = {0};

    *ret = (struct ends){.garbage = n};
    for (size_t at = 0; at < n;) {
        size_t length = n - at < piece ? n - at : piece, used;
        enum scan_result result = scan_bytes(&scan, bytes + at, length, &used);

        must(used <= length, "it looks at no more than it was given");
        must(result != SCAN_MORE || used == length, "it asks for more only at the end");
        at += used;
        if (result == SCAN_GARBAGE) {
            ret->garbage = at;
            return;
        }
        if (result == SCAN_COMPLETE && ret->count < ENDS_MAX)
            ret->at[ret->count++] = at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes;
    struct ends whole, split;
    struct error error;
    struct span id;

    find_ends(text, n, n + 1, &whole);
    for (size_t piece = 1; piece <= 7; piece += 2) {
        find_ends(text, n, piece, &split);
        must(memcmp(&whole, &split, sizeof whole) == 0,
             "the ends are the same however it is split");
    }
    if (check_request(text, n, &id, &error)) {
        must(whole.count == 1 && whole.garbage == n, "an object that passes the check is one");
        must(!id.start || (id.start >= text && id.start + id.length <= text + n),
             "the id is within the bytes");
    }
    return 0;
}
