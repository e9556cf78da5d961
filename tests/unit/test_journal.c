/* The journal: what was committed comes back, whatever happens to its writer and to its memory. */
#include "bounds.h"
#include "broker/state/journal.h"
#include "log.h"
#include "platform/memory.h"
#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SIZE = 64 << 10,
    HALVES = 4096, /* where the first half begins: behind the head */
    RECORD = 32,   /* without a line */
};

struct fixture {
    size_t size;
    int fd;
    uint8_t *memory;
    struct journal *journal;
    struct journal_found found;
    struct transaction transaction;
    char text[1 << 20]; /* what replay said: "LEASE LINE\n" each */
    size_t length;
};

/* Opens what there is, as the next broker does. */
static const char *open_again(struct fixture *f)
{
    struct journal_line line;
    size_t position = 0;

    if (f->journal)
        journal_close(f->journal);
    f->journal = journal_open(f->fd, &f->found);
    ck_assert_ptr_nonnull(f->journal);
    f->length = 0;
    f->text[0] = '\0';
    while (journal_next(f->journal, &position, &line)) {
        f->length += (size_t)snprintf(f->text + f->length, sizeof f->text - f->length, "%lu %.*s\n",
                                      (unsigned long)line.lease, (int)line.length, line.text);
        ck_assert_uint_lt(f->length, sizeof f->text);
    }
    return f->text;
}

static void begin(struct fixture *f, size_t size)
{
    memset(f, 0, sizeof *f);
    log_set_level(LOG_CRIT); /* damage is told there, and here it is wanted */
    f->size = size;
    f->fd = memory_make("journal", size);
    ck_assert_int_ge(f->fd, 0);
    f->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    ck_assert(f->memory != MAP_FAILED);
    open_again(f);
    ck_assert_int_eq(f->found.content, JOURNAL_NEW);
    journal_trust(f->journal);
}

static void end(struct fixture *f)
{
    if (f->journal)
        journal_close(f->journal);
    munmap(f->memory, f->size);
    close(f->fd);
}

static void put(struct fixture *f, uint64_t lease, const char *line)
{
    journal_put(f->journal, &f->transaction, lease, line, strlen(line));
}

static void put_now(struct fixture *f, uint64_t lease, const char *line)
{
    put(f, lease, line);
    journal_commit(f->journal, &f->transaction);
}

/* Writes anew what was read, as a broker does that took it over. */
static void restart(struct fixture *f)
{
    struct journal_line line;
    size_t position = 0;

    open_again(f);
    ck_assert_int_eq(f->found.content, JOURNAL_WHOLE);
    while (journal_next(f->journal, &position, &line))
        journal_put(f->journal, NULL, line.lease, line.text, line.length);
    journal_trust(f->journal);
}

START_TEST(what_is_committed_is_read_in_the_order_of_coming)
{
    static struct fixture f;

    begin(&f, SIZE);
    ck_assert_str_eq(open_again(&f), "");
    ck_assert_int_eq(f.found.content, JOURNAL_WHOLE); /* it is known that there is nothing */
    journal_trust(f.journal);
    put_now(&f, 7, "seven");
    put_now(&f, 3, "three");
    put_now(&f, 5, "a line of five");
    put_now(&f, 7, "seven again");
    journal_drop(f.journal, &f.transaction, 3);
    journal_drop(f.journal, &f.transaction, 4);
    journal_commit(f.journal, &f.transaction);
    ck_assert_str_eq(open_again(&f), "7 seven again\n5 a line of five\n");
    ck_assert_str_eq(open_again(&f), "7 seven again\n5 a line of five\n");
    end(&f);
}
END_TEST

START_TEST(lines_of_every_length)
{
    char line[REQUEST_MAX + 1];
    static struct fixture f;

    begin(&f, 1 << 20);
    memset(line, 'x', sizeof line);
    for (size_t n = 0; n < 40; n++)
        journal_put(f.journal, NULL, n + 1, line, n);
    journal_put(f.journal, NULL, 99, line, REQUEST_MAX);
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_WHOLE);
    ck_assert_uint_eq(f.length, 40 * 39 / 2 + 9 * 3 + 31 * 4 + 4 + REQUEST_MAX);
    end(&f);
}
END_TEST

START_TEST(what_is_not_committed_is_not_there)
{
    struct transaction other = {0}, none = {0};
    static struct fixture f;

    begin(&f, SIZE);
    put_now(&f, 1, "one");
    put_now(&f, 2, "two");
    put(&f, 1, "changed");
    put(&f, 3, "three");
    journal_drop(f.journal, &f.transaction, 2);
    journal_put(f.journal, &other, 4, "four", 4);
    journal_commit(f.journal, &other);
    journal_commit(f.journal, &none);
    ck_assert_str_eq(open_again(&f), "1 one\n2 two\n4 four\n");
    end(&f);
}
END_TEST

/* The numbers of transactions that a dead broker left open are not used again. */
START_TEST(an_open_transaction_stays_open_over_restarts)
{
    static struct fixture f;

    begin(&f, SIZE);
    put(&f, 1, "never");
    f.transaction = (struct transaction){0};
    restart(&f);
    put_now(&f, 2, "two");
    ck_assert_str_eq(open_again(&f), "2 two\n");
    /* The next one dies before it took over. */
    put(&f, 3, "three");
    journal_commit(f.journal, &f.transaction);
    ck_assert_str_eq(open_again(&f), "2 two\n");
    end(&f);
}
END_TEST

/* A start that dies leaves the journal as the broker before it did. */
START_TEST(until_it_is_trusted_the_old_one_counts)
{
    static struct fixture f;

    begin(&f, SIZE);
    put_now(&f, 1, "one");
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(open_again(&f), "1 one\n");
        put_now(&f, 2, "two");
        ck_assert(!journal_wants_compaction(f.journal));
        ck_assert(!journal_compact(f.journal, 100));
    }
    journal_trust(f.journal);
    ck_assert_str_eq(open_again(&f), "2 two\n");
    end(&f);
}
END_TEST

START_TEST(a_new_one_that_is_not_trusted_is_new)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    f.fd = memory_make("journal", SIZE);
    open_again(&f);
    put_now(&f, 1, "one");
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_NEW);
    ck_assert_str_eq(f.text, "");
    journal_close(f.journal);
    close(f.fd);
}
END_TEST

START_TEST(other_memory_is_refused)
{
    int small = memory_make("journal", 4096);
    struct journal_found found;

    ck_assert_ptr_null(journal_open(-1, &found));
    ck_assert_int_eq(errno, EBADF);
    ck_assert_ptr_null(journal_open(0, &found));
    ck_assert_ptr_null(journal_open(small, &found));
    ck_assert_int_eq(errno, EINVAL);
    close(small);
}
END_TEST

/* --- Damage -------------------------------------------------------------------------------- */

static void fill(struct fixture *f)
{
    put_now(f, 1, "one");
    put_now(f, 2, "two of some more letters");
    put_now(f, 3, "three");
    journal_drop(f->journal, &f->transaction, 2);
    journal_commit(f->journal, &f->transaction);
    put(f, 4, "open");
    f->transaction = (struct transaction){0};
}

static const uint8_t patterns[] = {0x01, 0x80, 0xff, 0x10};

/* Each byte of what a half begins with and of the records, and some of those behind. */
static size_t next_byte(const struct fixture *f, size_t i, size_t used)
{
    size_t half = f->size / 2, next = i + (i % half < used + 4096 ? 1 : 61);

    return i < half && next > half ? half : next;
}

/* Either it is told, at about the place, or nothing is lost. */
START_TEST(one_wrong_byte_is_told_or_harmless)
{
    static struct fixture f;
    char before[256];
    size_t told = 0, used;

    begin(&f, SIZE);
    fill(&f);
    used = journal_use(f.journal).used;
    strcpy(before, open_again(&f));
    ck_assert_str_eq(before, "1 one\n3 three\n");
    for (size_t i = 0; i < f.size; i = next_byte(&f, i, used)) {
        f.memory[i] ^= patterns[_i];
        open_again(&f);
        if (f.found.content == JOURNAL_DAMAGED) {
            ck_assert_str_eq(f.text, "");
            ck_assert_uint_le(f.found.damage, i);
            ck_assert_uint_le(i - f.found.damage, RECORD + 24);
            told++;
        } else {
            ck_assert_int_eq(f.found.content, JOURNAL_WHOLE);
            ck_assert_str_eq(f.text, before);
        }
        f.memory[i] ^= patterns[_i];
    }
    /* All of the records, and of the head what it is, the generation, and one end. */
    ck_assert_uint_eq(told, used + 24);
    end(&f);
}
END_TEST

/* Eight zeros, as of a page that is gone in part. */
START_TEST(zeros_are_told_or_harmless)
{
    static struct fixture f;
    uint64_t word;

    begin(&f, SIZE);
    fill(&f);
    for (size_t i = 0; i < f.size; i += sizeof word) {
        memcpy(&word, f.memory + i, sizeof word);
        memset(f.memory + i, 0, sizeof word);
        open_again(&f);
        ck_assert_int_ne(f.found.content, JOURNAL_NEW);
        ck_assert_str_eq(f.text, f.found.content == JOURNAL_WHOLE ? "1 one\n3 three\n" : "");
        memcpy(f.memory + i, &word, sizeof word);
    }
    end(&f);
}
END_TEST

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    uint8_t copy[RECORD];

    memcpy(copy, a, n);
    memcpy(a, b, n);
    memcpy(b, copy, n);
}

static void assert_damaged_at(struct fixture *f, size_t at)
{
    open_again(f);
    ck_assert_int_eq(f->found.content, JOURNAL_DAMAGED);
    ck_assert_uint_eq(f->found.damage, at);
}

/* A record that moved is damage as well, and so are words in another order. */
START_TEST(records_and_words_do_not_change_places)
{
    static struct fixture f;
    uint8_t *first;

    begin(&f, SIZE);
    first = f.memory + SIZE / 2;
    journal_drop(f.journal, NULL, 1);
    journal_drop(f.journal, NULL, 2);
    journal_put(f.journal, NULL, 3, "onetwo-3fourfive", 16);
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_WHOLE);
    swap(first, first + RECORD, RECORD);
    assert_damaged_at(&f, SIZE / 2);
    swap(first, first + RECORD, RECORD);
    swap(first + 3UL * RECORD, first + 3UL * RECORD + 8, 8);
    assert_damaged_at(&f, SIZE / 2 + 2 * RECORD);
    end(&f);
}
END_TEST

START_TEST(after_damage_it_is_written_anew)
{
    static struct fixture f;

    begin(&f, SIZE);
    fill(&f);
    f.memory[(size_t)_i] ^= 1;
    for (int i = 0; i < 2; i++) {
        open_again(&f);
        ck_assert_int_eq(f.found.content, JOURNAL_DAMAGED);
        put_now(&f, 9, "nine");
    }
    journal_trust(f.journal);
    put_now(&f, 10, "ten");
    ck_assert_str_eq(open_again(&f), "9 nine\n10 ten\n");
    ck_assert_int_eq(f.found.content, JOURNAL_WHOLE);
    restart(&f);
    ck_assert_str_eq(open_again(&f), "9 nine\n10 ten\n");
    end(&f);
}
END_TEST

/* A broker that is killed while it copies leaves any bytes behind the end. */
START_TEST(what_is_behind_the_end_does_not_matter)
{
    static struct fixture f;
    size_t at;

    begin(&f, SIZE);
    fill(&f);
    at = SIZE / 2 + journal_use(f.journal).used;
    for (size_t n = 0; n <= 128; n++) {
        memset(f.memory + at, 0xa5, n);
        memset(f.memory + at + n, 0x5a, 128 - n);
        ck_assert_str_eq(open_again(&f), "1 one\n3 three\n");
    }
    end(&f);
}
END_TEST

/* --- Compaction ---------------------------------------------------------------------------- */

static void copy_state(struct fixture *from, struct fixture *to)
{
    memcpy(to->memory, from->memory, from->size);
    open_again(to);
}

START_TEST(compaction_changes_nothing_and_frees_memory)
{
    static struct fixture f, copy;
    struct journal_use before;
    char line[32];
    int steps = 0;

    begin(&f, SIZE);
    begin(&copy, SIZE);
    for (int i = 0; !journal_wants_compaction(f.journal); i++) {
        sprintf(line, "line %d", i);
        put_now(&f, (uint64_t)i % 3 + 1, line);
    }
    put(&f, 8, "open");
    copy_state(&f, &copy);
    before = journal_use(f.journal);
    while (journal_compact(f.journal, 1)) {
        char *expected = strdup(copy.text);

        copy_state(&f, &copy);
        ck_assert_int_eq(copy.found.content, JOURNAL_WHOLE);
        ck_assert_str_eq(copy.text, expected);
        free(expected);
        steps++;
    }
    ck_assert_int_gt(steps, 100);
    ck_assert(!journal_wants_compaction(f.journal));
    ck_assert_uint_lt(journal_use(f.journal).used, before.used / 10);
    ck_assert_uint_eq(journal_use(f.journal).capacity, SIZE / 2 - HALVES);
    for (size_t i = 0; i < 64; i++) /* of generation 2 now, which is the first half */
        ck_assert_uint_eq(f.memory[SIZE / 2 + i], 0);
    journal_commit(f.journal, &f.transaction);
    ck_assert_ptr_nonnull(strstr(open_again(&f), "8 open\n"));
    end(&copy);
    end(&f);
}
END_TEST

/* What has been changed, and by whom, at any point of a compaction. */
START_TEST(changes_between_the_slices_count)
{
    struct transaction open = {0};
    static struct fixture f;
    int steps = 0;

    begin(&f, SIZE);
    put_now(&f, 1, "one");
    put_now(&f, 2, "two");
    put_now(&f, 3, "three");
    put_now(&f, 9, "eight");
    journal_put(f.journal, &open, 4, "four", 4);
    journal_drop(f.journal, &open, 2);
    journal_put(f.journal, &open, 1, "not the last", 12);
    put_now(&f, 1, "the last");
    while (!journal_wants_compaction(f.journal))
        put_now(&f, 9, "nine");
    do {
        if (steps++ != _i)
            continue;
        journal_drop(f.journal, &f.transaction, 3);
        put(&f, 5, "five");
        journal_commit(f.journal, &f.transaction);
        journal_commit(f.journal, &open);
        put_now(&f, 9, "ten");
    } while (journal_compact(f.journal, 16));
    ck_assert_int_gt(steps, _i);
    ck_assert_str_eq(open_again(&f), "1 the last\n9 ten\n4 four\n5 five\n");
    end(&f);
}
END_TEST

/* --- Room ---------------------------------------------------------------------------------- */

START_TEST(what_is_full_is_refused_and_can_be_emptied)
{
    char line[1000];
    static struct fixture f;
    uint64_t count = 0;

    begin(&f, 1 << 20);
    memset(line, 'x', sizeof line);
    ck_assert(!journal_has_room(f.journal, 1, 1 << 20));
    while (journal_has_room(f.journal, 1, sizeof line)) {
        journal_put(f.journal, &f.transaction, ++count, line, sizeof line);
        journal_commit(f.journal, &f.transaction);
    }
    ck_assert_uint_gt(count, 450);
    ck_assert_ptr_null(journal_use(f.journal).problem);
    for (uint64_t lease = 1; lease <= 100; lease++) {
        journal_drop(f.journal, &f.transaction, lease);
        journal_commit(f.journal, &f.transaction);
    }
    ck_assert(journal_has_room(f.journal, 80, 80 * sizeof line));
    open_again(&f);
    ck_assert_uint_eq(f.length, (count - 100) * (sizeof line + strlen("101 \n")));
    end(&f);
}
END_TEST

/* Whoever does not ask whether there is room finds that the journal is none any more. */
START_TEST(a_journal_that_ran_over_says_so)
{
    char line[1000];
    static struct fixture f;

    begin(&f, SIZE);
    memset(line, 'x', sizeof line);
    for (uint64_t lease = 1; lease <= 100; lease++)
        journal_put(f.journal, NULL, lease, line, sizeof line);
    ck_assert_ptr_nonnull(strstr(journal_use(f.journal).problem, "full"));
    ck_assert(journal_has_room(f.journal, 1, sizeof line)); /* it is not in the way */
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_DAMAGED);
    end(&f);
}
END_TEST

/* Also when that happens to a broker that still takes over what was there. */
START_TEST(a_journal_that_ran_over_is_not_trusted_later)
{
    char line[1000];
    static struct fixture f;

    begin(&f, SIZE);
    open_again(&f);
    memset(line, 'x', sizeof line);
    for (uint64_t lease = 1; lease <= 100; lease++)
        journal_put(f.journal, NULL, lease, line, sizeof line);
    ck_assert_ptr_nonnull(journal_use(f.journal).problem);
    journal_trust(f.journal);
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_DAMAGED);
    end(&f);
}
END_TEST

START_TEST(damage_that_compaction_finds_is_told)
{
    static struct fixture f;

    begin(&f, SIZE);
    while (!journal_wants_compaction(f.journal))
        put_now(&f, 1, "one");
    f.memory[SIZE / 2 + 1000] ^= 1;
    while (journal_compact(f.journal, 10))
        ;
    ck_assert_ptr_nonnull(strstr(journal_use(f.journal).problem, "damaged at byte 337"));
    ck_assert(!journal_wants_compaction(f.journal));
    put_now(&f, 2, "two");
    open_again(&f);
    ck_assert_int_eq(f.found.content, JOURNAL_DAMAGED);
    end(&f);
}
END_TEST

/* --- Killed -------------------------------------------------------------------------------- */

enum { EVENTS = 4000, LEASES = 12, OPEN = 3 };

/* Two of three events write a record, by one of some transactions; the others commit it. */
struct event {
    enum { PUT, DROP, COMMIT } kind;
    unsigned transaction, lease;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void make_events(struct event *events, uint32_t seed)
{
    for (int i = 0; i < EVENTS; i++)
        events[i] = (struct event){next_random(&seed) % 3, next_random(&seed) % OPEN,
                                   next_random(&seed) % LEASES};
}

static void write_event(struct journal *journal, const struct event *event, int number,
                        struct transaction *open)
{
    struct transaction *transaction = &open[event->transaction];
    char line[128];

    sprintf(line, "%0*d", number % 100 + 1, number);
    if (event->kind == PUT)
        journal_put(journal, transaction, event->lease + 1, line, strlen(line));
    else if (event->kind == DROP)
        journal_drop(journal, transaction, event->lease + 1);
    else
        journal_commit(journal, transaction);
}

/* Writes until it is killed. */
static void write_events(struct fixture *f, const struct event *events, _Atomic int *done)
{
    struct transaction open[OPEN] = {0};

    for (int i = 0; i < EVENTS; i++) {
        write_event(f->journal, &events[i], i, open);
        if (journal_wants_compaction(f->journal))
            journal_compact(f->journal, 4);
        atomic_store(done, i + 1);
    }
    _exit(0);
}

/* What the leases are when so many events are done: the number of the put; -1: there is none. */
static void work_out(const struct event *events, int done, int *ret)
{
    for (int lease = 0; lease < LEASES; lease++)
        ret[lease] = -1;
    for (int i = 0; i < done; i++) {
        int commit = i + 1;

        while (commit < done && (events[commit].kind != COMMIT ||
                                 events[commit].transaction != events[i].transaction))
            commit++;
        if (events[i].kind != COMMIT && commit < done)
            ret[events[i].lease] = events[i].kind == PUT ? i : -1;
    }
}

static void read_numbers(struct journal *journal, int *ret)
{
    struct journal_line line;
    size_t position = 0;
    char text[128];

    for (int lease = 0; lease < LEASES; lease++)
        ret[lease] = -1;
    while (journal_next(journal, &position, &line)) {
        memcpy(text, line.text, line.length);
        text[line.length] = '\0';
        ret[line.lease - 1] = atoi(text);
    }
}

/* Somebody has the memory as well, and goes on writing to it. */
START_TEST(what_changes_while_it_is_read_is_not_used)
{
    struct record_at_start {
        uint64_t checksum;
        uint32_t length;
    } * record;
    static struct fixture f;
    struct journal_line line;
    size_t position = 0;

    begin(&f, SIZE);
    put_now(&f, 7, "seven");
    put_now(&f, 3, "three");
    open_again(&f);
    ck_assert(journal_next(f.journal, &position, &line));
    memset(f.memory + line.offset, 0xff, RECORD + 8);
    ck_assert_mem_eq(line.text, "seven", line.length);
    ck_assert(journal_next(f.journal, &position, &line));
    record = (struct record_at_start *)(f.memory + line.offset);
    record->length = UINT32_MAX;
    for (position = 0; journal_next(f.journal, &position, &line);)
        ck_assert_uint_eq(line.length, 0);
    end(&f);
}
END_TEST

START_TEST(a_writer_that_is_killed_loses_nothing_that_was_committed)
{
    static struct event events[EVENTS];
    _Atomic int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int read[LEASES], expected[LEASES], kills = 0;

    for (uint32_t seed = 0; seed < 200; seed++) {
        static struct fixture f;
        pid_t child;

        begin(&f, 32 << 10);
        make_events(events, seed);
        *done = 0;
        child = fork();
        if (child == 0)
            write_events(&f, events, done);
        while (*done < (int)(seed * 37 % EVENTS))
            ;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        open_again(&f);
        ck_assert_int_eq(f.found.content, JOURNAL_WHOLE);
        read_numbers(f.journal, read);
        work_out(events, *done, expected);
        if (memcmp(read, expected, sizeof read) != 0)
            work_out(events, *done + 1, expected); /* it was killed before it said so */
        ck_assert_mem_eq(read, expected, sizeof read);
        kills += *done < EVENTS;
        end(&f);
    }
    ck_assert_int_gt(kills, 0);
    munmap((void *)done, 4096);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_is_committed_is_read_in_the_order_of_coming);
    tcase_add_test(tests, lines_of_every_length);
    tcase_add_test(tests, what_is_not_committed_is_not_there);
    tcase_add_test(tests, an_open_transaction_stays_open_over_restarts);
    tcase_add_test(tests, until_it_is_trusted_the_old_one_counts);
    tcase_add_test(tests, a_new_one_that_is_not_trusted_is_new);
    tcase_add_test(tests, other_memory_is_refused);
    tcase_add_loop_test(tests, one_wrong_byte_is_told_or_harmless, 0,
                        (int)(sizeof patterns / sizeof *patterns));
    tcase_add_test(tests, zeros_are_told_or_harmless);
    tcase_add_test(tests, records_and_words_do_not_change_places);
    tcase_add_loop_test(tests, after_damage_it_is_written_anew, 0, 16);
    tcase_add_test(tests, what_is_behind_the_end_does_not_matter);
    tcase_add_test(tests, compaction_changes_nothing_and_frees_memory);
    tcase_add_loop_test(tests, changes_between_the_slices_count, 0, 40);
    tcase_add_test(tests, what_is_full_is_refused_and_can_be_emptied);
    tcase_add_test(tests, a_journal_that_ran_over_says_so);
    tcase_add_test(tests, a_journal_that_ran_over_is_not_trusted_later);
    tcase_add_test(tests, damage_that_compaction_finds_is_told);
    tcase_add_test(tests, what_changes_while_it_is_read_is_not_used);
    tcase_add_test(tests, a_writer_that_is_killed_loses_nothing_that_was_committed);
}

int main(void)
{
    return suite_run("journal", add_tests);
}
