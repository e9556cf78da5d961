/* The journal's memory, as the keeper keeps it. What is in it is the brokers' affair. */
#include "kept.h"
#include "log.h"
#include "platform/memory.h"

#include <string.h>

/* Memory that another version made, or another program, would be the end of a broker that maps it:
 * what is beyond its end cannot be read. */
static bool accept_memory(struct kept *kept, const char *name, int fd)
{
    (void)kept;
    if (strcmp(name, KEPT_JOURNAL) != 0)
        return false;
    if (memory_is_fixed(fd, JOURNAL_SIZE))
        return true;
    log_line(LOG_WARNING, "the inherited journal is not memory of %d bytes whose size is sealed.",
             JOURNAL_SIZE);
    return false;
}

/* The kernel gives the old one's pages back when the last broker that has it is gone. */
static void renew_memory(struct kept *kept)
{
    int fd = memory_make(KEPT_JOURNAL, JOURNAL_SIZE);

    if (fd < 0) {
        log_line(LOG_ERR, "cannot make the memory of a new journal: %s.", strerror(-fd));
        return;
    }
    log_line(LOG_ERR, "brokers die before they have restored the journal: it is given up. What the "
                      "state file has, if there is one, is restored.");
    kept_remove(kept, KEPT_JOURNAL);
    kept_add(kept, KEPT_JOURNAL, fd);
}

static bool make_memory(struct kept *kept, const struct config *config)
{
    int fd;

    (void)config;
    if (kept_find(kept, KEPT_JOURNAL) >= 0)
        return true;
    fd = memory_make(KEPT_JOURNAL, JOURNAL_SIZE);
    if (fd < 0)
        log_line(LOG_ERR, "cannot make the memory of the journal: %s.", strerror(-fd));
    else
        kept_take(kept, KEPT_JOURNAL, fd);
    return true;
}

const struct keeper_kind journal_kept = {
    .prefix = KEPT_JOURNAL,
    .most = 1,
    .lent = true,
    .accept = accept_memory,
    .start = make_memory,
    .renew = renew_memory,
};
