#include "backlog.h"

/* Who does not look at it for so long does not know that it was full all the time. */
#define GAP_NS (UINT64_C(50) * 1000 * 1000)

bool backlog_note(struct backlog *backlog, bool is_empty, uint64_t now)
{
    bool was_short = backlog->is_short;

    if (is_empty) {
        backlog->full_since = 0;
        if (now - backlog->last_full > BACKLOG_CALM_NS)
            backlog->is_short = false;
        return backlog->is_short != was_short;
    }
    if (!backlog->full_since || now - backlog->last_full > GAP_NS)
        backlog->full_since = now;
    backlog->last_full = now;
    if (now - backlog->full_since > BACKLOG_BURST_NS)
        backlog->is_short = true;
    return backlog->is_short != was_short;
}
