/* What a process of its own does for the keeper, later. The errands of these tests write to a pipe
 * that the test reads, and wait for another one. */
#include "keeper/errands.h"
#include "log.h"
#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENOUGH = 1000 };

static struct errands errands;
static int done[2], gate[2];

static void run(const struct errand *list, size_t count)
{
    char byte;

    for (size_t i = 0; i < count; i++) {
        if (list[i].number == 0 && read(gate[0], &byte, 1) != 1)
            return;
        if (write(done[1], &list[i].number, sizeof list[i].number) < 0)
            _exit(1);
    }
}

static void die(const struct errand *list, size_t count)
{
    run(list, count);
    raise(SIGKILL);
}

/* --- What is made: the read end of a pipe with the number in it. The context is an error. */

static struct {
    unsigned count, errors;
    uint32_t numbers[16];
    int last_error;
} taken;

static int make(const void *context, uint32_t number)
{
    const int *error = context;
    int ends[2];

    if (*error)
        return *error;
    if (pipe(ends) < 0 || write(ends[1], &number, sizeof number) < 0)
        return -errno;
    return ends[0];
}

static void made(void *context, uint32_t number, int result)
{
    uint32_t inside = UINT32_MAX;

    (void)context;
    if (result < 0) {
        taken.errors++;
        taken.last_error = result;
        return;
    }
    ck_assert_int_eq(read(result, &inside, sizeof inside), sizeof inside);
    ck_assert_uint_eq(inside, number);
    taken.numbers[taken.count++] = number;
    close(result);
}

static int make_and_die(const void *context, uint32_t number)
{
    (void)context;
    (void)number;
    raise(SIGKILL);
    return -1;
}

static bool add_maker(uint32_t number)
{
    return errands_add(&errands, &(struct errand){.make = make, .made = made, .number = number});
}

static int error;

static void begin(void)
{
    errands = (struct errands){.child = 0};
    memset(&taken, 0, sizeof taken);
    error = 0;
    ck_assert_int_eq(errands_open(&errands, &error), 0);
    ck_assert_int_eq(pipe(done), 0);
    ck_assert_int_eq(pipe(gate), 0);
    log_set_level(LOG_CRIT);
}

static bool add(uint32_t number)
{
    return errands_add(&errands, &(struct errand){.run = run, .number = number});
}

static uint32_t next_done(void)
{
    uint32_t number = UINT32_MAX;

    ck_assert_int_eq(read(done[0], &number, sizeof number), sizeof number);
    return number;
}

/* As the keeper's loop: buries the process. */
static void wait_for_child(void)
{
    int status;
    pid_t child = waitpid(errands.child, &status, 0);

    ck_assert_int_gt(child, 0);
    ck_assert(!errands_end(&errands, child + 1, status));
    ck_assert(errands_end(&errands, child, status));
}

START_TEST(they_are_done_in_their_order_by_one_process)
{
    begin();
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert(add(i));
    errands_start(&errands);
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert_uint_eq(next_done(), i);
    wait_for_child();
    ck_assert_uint_eq(errands.count, 0);
    ck_assert_int_eq(errands.child, 0);
}
END_TEST

/* The loop does not wait, and one process runs at a time. */
START_TEST(what_comes_meanwhile_waits_for_the_next_process)
{
    pid_t first;

    begin();
    ck_assert(add(0));
    errands_start(&errands);
    first = errands.child;
    for (uint32_t i = 1; i <= ENOUGH; i++) {
        ck_assert(add(i));
        errands_start(&errands);
    }
    ck_assert_int_eq(errands.child, first);
    ck_assert_int_eq(write(gate[1], "", 1), 1);
    ck_assert_uint_eq(next_done(), 0);
    wait_for_child();
    ck_assert_int_gt(errands.child, 0);
    for (uint32_t i = 1; i <= ENOUGH; i++)
        ck_assert_uint_eq(next_done(), i);
    wait_for_child();
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

START_TEST(the_same_one_waits_once)
{
    begin();
    ck_assert(add(0));
    errands_start(&errands);
    ck_assert(add(0)); /* the one that runs may have begun before it was asked for */
    ck_assert(add(0));
    ck_assert_uint_eq(errands.count, 2);
    ck_assert_int_eq(write(gate[1], "ab", 2), 2);
    wait_for_child();
    wait_for_child();
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

START_TEST(so_many_wait_and_no_more)
{
    begin();
    for (uint32_t i = 1; i <= ERRANDS_MAX; i++)
        ck_assert(add(i));
    ck_assert(!add(ERRANDS_MAX + 1));
    ck_assert(add(7));
    ck_assert_uint_eq(errands.count, ERRANDS_MAX);
}
END_TEST

START_TEST(what_was_interrupted_is_done_again)
{
    begin();
    ck_assert(add(0));
    errands_start(&errands);
    kill(errands.child, SIGKILL);
    wait_for_child();
    ck_assert_uint_eq(errands.count, 1);
    ck_assert_int_eq(write(gate[1], "", 1), 1);
    ck_assert_uint_eq(next_done(), 0);
    wait_for_child();
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

START_TEST(what_ends_each_process_is_given_up)
{
    begin();
    ck_assert(errands_add(&errands, &(struct errand){.run = die, .number = 1}));
    errands_start(&errands);
    ck_assert(add(2));
    for (unsigned i = 0; i < ERRAND_ATTEMPTS; i++) {
        ck_assert_uint_eq(next_done(), 1);
        wait_for_child();
    }
    ck_assert_uint_eq(next_done(), 2);
    wait_for_child();
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

/* Those that are alike and come one after the other are told together. */
static void count_them(const struct errand *list, size_t count)
{
    uint32_t number = (uint32_t)count;

    (void)list;
    if (write(done[1], &number, sizeof number) < 0)
        _exit(1);
}

START_TEST(what_is_alike_is_done_together)
{
    begin();
    for (uint32_t i = 1; i <= 5; i++)
        ck_assert(errands_add(&errands, &(struct errand){.run = count_them, .number = i}));
    ck_assert(add(9));
    ck_assert(errands_add(&errands, &(struct errand){.run = count_them, .number = 6}));
    errands_start(&errands);
    ck_assert_uint_eq(next_done(), 5);
    ck_assert_uint_eq(next_done(), 9);
    ck_assert_uint_eq(next_done(), 1);
    wait_for_child();
}
END_TEST

/* Also where the ring begins anew in between. */
START_TEST(what_is_alike_ends_with_the_ring)
{
    begin();
    errands.first = ERRANDS_MAX - 2;
    for (uint32_t i = 1; i <= 5; i++)
        ck_assert(errands_add(&errands, &(struct errand){.run = count_them, .number = i}));
    errands_start(&errands);
    ck_assert_uint_eq(next_done(), 2);
    ck_assert_uint_eq(next_done(), 3);
    wait_for_child();
}
END_TEST

START_TEST(what_is_made_is_handed_over)
{
    begin();
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert(add_maker(i));
    ck_assert(add(4));
    errands_start(&errands);
    ck_assert_uint_eq(next_done(), 4);
    ck_assert_uint_eq(taken.count, 0);
    wait_for_child(); /* takes what is there */
    ck_assert_uint_eq(taken.count, 3);
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert_uint_eq(taken.numbers[i - 1], i);
    error = -ENODEV;
    ck_assert(add_maker(7));
    errands_start(&errands);
    wait_for_child();
    ck_assert_uint_eq(taken.errors, 1);
    ck_assert_int_eq(taken.last_error, -ENODEV);
}
END_TEST

START_TEST(what_is_given_up_is_told)
{
    begin();
    ck_assert(
        errands_add(&errands, &(struct errand){.make = make_and_die, .made = made, .number = 1}));
    errands_start(&errands);
    for (unsigned i = 0; i < ERRAND_ATTEMPTS; i++) {
        ck_assert_uint_eq(taken.errors, 0);
        wait_for_child();
    }
    ck_assert_uint_eq(taken.errors, 1);
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, they_are_done_in_their_order_by_one_process);
    tcase_add_test(tests, what_comes_meanwhile_waits_for_the_next_process);
    tcase_add_test(tests, the_same_one_waits_once);
    tcase_add_test(tests, so_many_wait_and_no_more);
    tcase_add_test(tests, what_was_interrupted_is_done_again);
    tcase_add_test(tests, what_ends_each_process_is_given_up);
    tcase_add_test(tests, what_is_alike_is_done_together);
    tcase_add_test(tests, what_is_alike_ends_with_the_ring);
    tcase_add_test(tests, what_is_made_is_handed_over);
    tcase_add_test(tests, what_is_given_up_is_told);
}

int main(void)
{
    return suite_run("errands", add_tests);
}
