/* The keeper's copies of the sockets of memberships, over the deaths of brokers and keepers. */
#include "fake.h"
#include "keeper/kept_joins.h"
#include "platform/joins.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int inherit(struct kept_joins *kept, const char *name)
{
    int fd = joins_socket_open(FAMILY_IPV4);
    int result = kept_joins_inherit(kept, fd, name, strlen(name));

    if (result < 0)
        close(fd);
    return result < 0 ? result : fd;
}

START_TEST(a_broker_that_joined_all_ends_those_before_it)
{
    struct kept_joins kept = {.record = -1};
    int first, second;

    kept_joins_begin(&kept);
    first = kept_joins_open(&kept, FAMILY_IPV4);
    kept_joins_complete(&kept);
    ck_assert(is_open(first));
    kept_joins_begin(&kept);
    second = kept_joins_open(&kept, FAMILY_IPV6);
    ck_assert(is_open(first));
    kept_joins_complete(&kept);
    ck_assert(!is_open(first));
    ck_assert(is_open(second));
    kept_joins_complete(&kept); /* a reload says so again */
    ck_assert(is_open(second));
    kept_joins_forget(&kept);
    ck_assert(!is_open(second));
}
END_TEST

START_TEST(a_broker_that_died_before_leaves_nothing)
{
    struct kept_joins kept = {.record = -1};
    int complete, half;

    kept_joins_begin(&kept);
    complete = kept_joins_open(&kept, FAMILY_IPV4);
    kept_joins_complete(&kept);
    kept_joins_begin(&kept);
    half = kept_joins_open(&kept, FAMILY_IPV4);
    kept_joins_begin(&kept);
    ck_assert(is_open(complete));
    ck_assert(!is_open(half));
    kept_joins_forget(&kept);
}
END_TEST

START_TEST(another_keeper_goes_on_with_the_oldest_generation)
{
    struct kept_joins kept = {.record = -1};
    int half, complete;

    half = inherit(&kept, "joins-8");
    complete = inherit(&kept, "joins-7");
    ck_assert_int_ge(half, 0);
    kept_joins_begin(&kept);
    ck_assert(!is_open(half));
    ck_assert(is_open(complete));
    ck_assert_uint_eq(kept.generation, 9);
    kept_joins_complete(&kept);
    ck_assert(!is_open(complete));
}
END_TEST

START_TEST(other_names_are_no_sockets_of_ours)
{
    static const char *const names[] = {
        "joins-",
        "joins-0",
        "joins--1",
        "joins-1x",
        "joins- 1",
        "joins-01",
        "joins-4294967295",
        "joins-99999999999",
        "mroute-ipv4-253",
        "",
        "joins-111111111111111111111111111111111111",
    };
    struct kept_joins kept = {.record = -1};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(inherit(&kept, names[i]), -EINVAL);
}
END_TEST

START_TEST(there_are_so_many_sockets_and_no_more)
{
    struct kept_joins kept = {.record = -1};
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int generation = 1; generation <= 2; generation++) {
        kept_joins_begin(&kept);
        for (int i = 0; i < JOIN_SOCKETS_MAX; i++)
            ck_assert_int_ge(kept_joins_open(&kept, FAMILY_IPV4), 0);
        ck_assert_int_eq(kept_joins_open(&kept, FAMILY_IPV4), -ENFILE);
        if (generation == 1)
            kept_joins_complete(&kept);
    }
    ck_assert_uint_eq(kept.count, KEPT_JOINS_MAX);
    ck_assert_int_eq(inherit(&kept, "joins-1"), -EINVAL);
    ck_assert_int_eq(kept_joins_open(&kept, 5), -EINVAL);
    kept_joins_forget(&kept);
}
END_TEST

/* --- The manager --------------------------------------------------------------------------- */

static int open_manager(char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    ck_assert_ptr_nonnull(mkdtemp(path));
    strcat(path, "/notify");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    return fd;
}

static const char *told(int fd)
{
    static char text[128];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);

    text[length < 0 ? 0 : length] = '\0';
    return text;
}

START_TEST(the_manager_has_copies)
{
    char path[64] = "/tmp/netbroker-unit-XXXXXX";
    struct kept_joins kept = {.record = -1};
    int manager = open_manager(path);

    kept_joins_begin(&kept);
    kept_joins_open(&kept, FAMILY_IPV4);
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=joins-1");
    kept_joins_complete(&kept);
    kept_joins_begin(&kept);
    ck_assert_str_eq(told(manager), "");
    kept_joins_open(&kept, FAMILY_IPV4);
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=joins-2");
    kept_joins_complete(&kept);
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=joins-1");
    unsetenv("NOTIFY_SOCKET");
    kept_joins_forget(&kept);
    close(manager);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_broker_that_joined_all_ends_those_before_it);
    tcase_add_test(tests, a_broker_that_died_before_leaves_nothing);
    tcase_add_test(tests, another_keeper_goes_on_with_the_oldest_generation);
    tcase_add_test(tests, other_names_are_no_sockets_of_ours);
    tcase_add_test(tests, there_are_so_many_sockets_and_no_more);
    tcase_add_test(tests, the_manager_has_copies);
}

int main(void)
{
    return suite_run("kept_joins", add_tests);
}
