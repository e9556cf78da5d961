/* The journal's memory, as another program could have written it: it is read within its bounds,
 * and what is written anew is what was read.
 *
 * The first byte chooses where the rest is: from the head on, or as a line of a journal that is
 * whole, with one byte of the memory changed. */
#include "bounds.h"
#include "broker/state/journal.h"
#include "fuzz.h"
#include "log.h"
#include "platform/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 32768, REPAIRED = 1 };

struct seen {
    struct journal *journal; /* to be written anew */
    size_t lines, bytes;
};

static void see(struct seen *seen, const struct journal_line *line)
{
    must(line->lease != 0 && line->length <= REQUEST_MAX, "a line is one");
    must(line->offset < SIZE, "it is in the memory");
    seen->lines++;
    for (size_t i = 0; i < line->length; i++)
        seen->bytes += (uint8_t)line->text[i];
    if (journal_has_room(seen->journal, 1, line->length))
        journal_put(seen->journal, NULL, line->lease, line->text, line->length);
}

static void write_some(struct journal *journal, const uint8_t *bytes, size_t n)
{
    struct transaction transactions[4] = {0};

    for (size_t i = 0; i + 2 < n; i += 3) {
        struct transaction *transaction = &transactions[bytes[i] % 4];
        uint64_t lease = bytes[i + 1] % 8 + 1;
        size_t length = n - i < bytes[i + 2] ? n - i : bytes[i + 2];

        if (bytes[i] & 0x80)
            journal_commit(journal, transaction);
        else if (bytes[i] & 0x40)
            journal_drop(journal, transaction, lease);
        else if (journal_has_room(journal, 1, length))
            journal_put(journal, transaction, lease, (const char *)bytes + i, length);
        if (bytes[i] & 0x20)
            journal_compact(journal, bytes[i] % 32);
    }
}

/* Opens and takes over what there is. */
static struct seen take_over(int fd)
{
    struct journal_found found;
    struct journal_line line;
    size_t position = 0;
    struct seen seen = {.journal = journal_open(fd, &found)};
    struct journal *journal = seen.journal;

    must(journal != NULL, "it can be opened");
    must(found.damage < SIZE, "the damage is in the memory");
    while (journal_next(journal, &position, &line))
        see(&seen, &line);
    must(found.content == JOURNAL_WHOLE || seen.lines == 0, "nothing of the rest is used");
    journal_trust(journal);
    must(journal_use(journal).used <= journal_use(journal).capacity, "it is within its half");
    journal_close(journal);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int fd = memory_make("journal", SIZE);
    uint8_t *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct seen first, second;

    must(fd >= 0 && memory != MAP_FAILED, "there is memory");
    log_set_level(LOG_CRIT);
    if (n > 3 && bytes[0] & REPAIRED) {
        struct journal_found found;
        struct journal *journal = journal_open(fd, &found);

        journal_trust(journal);
        write_some(journal, bytes + 3, n - 3);
        journal_close(journal);
        memory[(bytes[1] << 8 | bytes[2]) % SIZE] ^= bytes[0] & ~REPAIRED;
    } else {
        memcpy(memory, bytes, n < SIZE ? n : SIZE);
    }
    first = take_over(fd);
    second = take_over(fd);
    must(first.lines == second.lines && first.bytes == second.bytes,
         "it is written as it was read");
    munmap(memory, SIZE);
    close(fd);
    return 0;
}
