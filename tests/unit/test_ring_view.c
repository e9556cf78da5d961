/* The client's side of the memory of a ring, and of bells. */
#include "platform/rings.h"
#include "ring/layout.h"
#include "rings.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 1 << 16 };

static size_t page_bytes(void)
{
    return ring_memory_bytes(0);
}

START_TEST(what_was_made_is_mapped_twice_in_a_row)
{
    struct ring_memory memory;
    struct ring_view view;

    ck_assert_int_eq(ring_memory_make("ring", SIZE, MEMORY_SHOWN, &memory), 0);
    ck_assert_int_eq(ring_view_map(memory.fd, true, &view), -EACCES);
    ck_assert_int_eq(ring_view_map(memory.fd, false, &view), 0);
    ck_assert_uint_eq(view.size, SIZE);
    memcpy(memory.data + SIZE - 2, "abcd", 4);
    memcpy(memory.page, "page", 4);
    ck_assert_mem_eq(view.data + SIZE - 2, "abcd", 4);
    ck_assert_mem_eq(view.data, "cd", 2);
    ck_assert_mem_eq(view.data + SIZE, "cd", 2);
    ck_assert_mem_eq(view.page, "page", 4);
    ring_view_unmap(&view);
    ck_assert_ptr_null(view.page);
    ring_memory_free(&memory);
    ck_assert_int_eq(memory.fd, -1);
}
END_TEST

START_TEST(what_is_lent_is_written_by_both)
{
    struct ring_memory memory;
    struct ring_view view;

    ck_assert_int_eq(ring_memory_make("page", 0, MEMORY_FIXED, &memory), 0);
    ck_assert_int_eq(ring_view_map(memory.fd, true, &view), 0);
    ck_assert_uint_eq(view.size, 0);
    ck_assert_ptr_null(view.data);
    memcpy(view.page, "page", 4);
    ck_assert_mem_eq(memory.page, "page", 4);
    ring_view_unmap(&view);
    ring_memory_free(&memory);
}
END_TEST

static int memory_of(size_t size, int seals)
{
    int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* The first one is a ring's. */
START_TEST(only_memory_that_keeps_its_size_is_mapped)
{
    const struct {
        size_t size;
        int seals, expected;
    } cases[] = {
        {page_bytes() + SIZE, F_SEAL_SHRINK | F_SEAL_GROW, 0},
        {page_bytes() + SIZE, F_SEAL_GROW, -EINVAL},
        {page_bytes() + SIZE, F_SEAL_SHRINK, -EINVAL},
        {page_bytes() + SIZE, 0, -EINVAL},
        {page_bytes() - 1, F_SEAL_SHRINK | F_SEAL_GROW, -EINVAL},
        {0, F_SEAL_SHRINK | F_SEAL_GROW, -EINVAL},
        {page_bytes() + 3 * SIZE, F_SEAL_SHRINK | F_SEAL_GROW, -EINVAL},
    };
    struct ring_view view;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = memory_of(cases[i].size, cases[i].seals);

        ck_assert_int_eq(ring_view_map(fd, false, &view), cases[i].expected);
        if (cases[i].expected == 0)
            ring_view_unmap(&view);
        close(fd);
    }
    ck_assert_int_eq(ring_view_map(STDOUT_FILENO, false, &view), -EINVAL);
    ck_assert_int_eq(ring_view_map(-1, false, &view), -EINVAL);
}
END_TEST

START_TEST(no_memory_is_made_of_another_size)
{
    struct ring_memory memory;

    ck_assert_int_eq(ring_memory_make("ring", 3 * SIZE, MEMORY_SHOWN, &memory), -EINVAL);
    ck_assert_int_eq(ring_memory_make("ring", 16, MEMORY_SHOWN, &memory), -EINVAL);
    ck_assert_int_eq(ring_memory_make("ring", (size_t)RING_SIZE_MAX * 2, MEMORY_SHOWN, &memory),
                     -EINVAL);
}
END_TEST

static bool is_readable(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN);
}

START_TEST(a_bell_rings_until_it_is_cleared)
{
    struct bell bell;

    ck_assert_int_eq(bell_make(&bell), 0);
    ck_assert(!is_readable(bell.wait));
    ck_assert(bell_clear(bell.wait)); /* there is nothing to clear, and it does not wait */
    for (int i = 0; i < 100000; i++)  /* nor when the client fills it */
        ck_assert(ring_bell_ring(bell.ring));
    ck_assert(bell_ring(bell.ring));
    for (int i = 0; is_readable(bell.wait); i++) {
        ck_assert(ring_bell_clear(bell.wait));
        ck_assert_int_lt(i, 1000);
    }
    ck_assert(bell_ring(bell.ring));
    ck_assert(is_readable(bell.wait));
    close(bell.ring);
    ck_assert(ring_bell_clear(bell.wait));
    ck_assert(!ring_bell_clear(bell.wait));
    close(bell.wait);
}
END_TEST

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

START_TEST(a_client_gets_no_signal_when_the_service_is_gone)
{
    struct bell bell;
    sigset_t now;

    ck_assert_int_eq(bell_make(&bell), 0);
    close(bell.wait);
    signal(SIGPIPE, count_signal);
    ck_assert(!ring_bell_ring(bell.ring));
    ck_assert_int_eq(signals, 0);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    ck_assert_int_eq(sigismember(&now, SIGPIPE), 0);
    raise(SIGPIPE); /* others still come */
    ck_assert_int_eq(signals, 1);
    close(bell.ring);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_was_made_is_mapped_twice_in_a_row);
    tcase_add_test(tests, what_is_lent_is_written_by_both);
    tcase_add_test(tests, only_memory_that_keeps_its_size_is_mapped);
    tcase_add_test(tests, no_memory_is_made_of_another_size);
    tcase_add_test(tests, a_bell_rings_until_it_is_cleared);
    tcase_add_test(tests, a_client_gets_no_signal_when_the_service_is_gone);
}

int main(void)
{
    return suite_run("ring_view", add_tests);
}
