/* What outlives a broker, by name. */
#include "fake.h"
#include "keeper/kept.h"
#include "log.h"
#include "platform/memory.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(what_is_kept_is_found_by_name)
{
    struct kept kept = {0};
    int fd = dup(0);

    ck_assert_int_eq(kept_find(&kept, "mroute-a"), -1);
    ck_assert_int_eq(kept_add(&kept, "mroute-a", fd), 0);
    ck_assert_int_eq(kept_add(&kept, "mroute-a", 0), -EEXIST);
    ck_assert_int_eq(kept_add(&kept, "mroute-b", dup(0)), 0);
    ck_assert_int_eq(kept_find(&kept, "mroute-a"), fd);
    kept_remove(&kept, "mroute-a");
    ck_assert(!is_open(fd));
    ck_assert_int_eq(kept_find(&kept, "mroute-a"), -1);
    ck_assert_int_ge(kept_find(&kept, "mroute-b"), 0);
    kept_remove(&kept, "mroute-a");
    kept_remove(&kept, "mroute-b");
    ck_assert_uint_eq(kept.count, 0);
}
END_TEST

START_TEST(a_name_has_a_kind_and_an_end)
{
    struct kept kept = {0};
    char name[KEPT_NAME_MAX + 2] = "mroute-";

    ck_assert_int_eq(kept_add(&kept, "unknown", 0), -EINVAL);
    memset(name + 7, 'x', sizeof name - 8);
    ck_assert_int_eq(kept_add(&kept, name, 0), -EINVAL);
    name[KEPT_NAME_MAX] = '\0';
    ck_assert_int_eq(kept_add(&kept, name, 0), 0);
}
END_TEST

START_TEST(so_many_names_of_what_lasts_are_ever_kept)
{
    struct kept kept = {0};
    char name[KEPT_NAME_MAX + 1];

    for (int i = 0; i < KEPT_NAMES_EVER_MAX; i++) {
        snprintf(name, sizeof name, "mroute-%d", i);
        ck_assert_int_eq(kept_add(&kept, name, dup(0)), 0);
        kept_remove(&kept, name);
    }
    ck_assert_int_eq(kept_judge(&kept, "mroute-another"), -EDQUOT);
    ck_assert_int_eq(kept_judge(&kept, name), 0);
    ck_assert_int_eq(kept_judge(&kept, "join-1-1"), 0);
}
END_TEST

START_TEST(a_broker_has_what_is_lent)
{
    struct kept kept = {0};
    int socket = dup(0);

    kept_add(&kept, "join-1-1", socket);
    kept_add(&kept, "mroute-a", dup(0));
    kept_become_lent(&kept);
    ck_assert(!is_open(socket));
    ck_assert_uint_eq(kept.count, 1);
    ck_assert_int_ge(kept_find(&kept, "mroute-a"), 0);
    kept_remove(&kept, "mroute-a");
}
END_TEST

START_TEST(a_journal_of_another_size_is_not_taken)
{
    struct config config = {0};
    struct kept kept = {0};
    int fd = memory_make("journal", JOURNAL_SIZE - 1);

    ck_assert(!kept_inherit(&kept, KEPT_JOURNAL, fd));
    close(fd);
    fd = memory_make("journal", JOURNAL_SIZE);
    ck_assert(kept_inherit(&kept, KEPT_JOURNAL, fd));
    ck_assert(!kept_inherit(&kept, KEPT_JOURNAL, fd));
    fake_reset();
    ck_assert(kept_start(&kept, &config));
    ck_assert_int_eq(kept_find(&kept, KEPT_JOURNAL), fd);
    kept_remove(&kept, KEPT_JOURNAL);
    fake_reset();
    ck_assert(kept_start(&kept, &config));
    ck_assert_int_ge(kept_find(&kept, KEPT_JOURNAL), 0);
    kept_remove(&kept, KEPT_JOURNAL);
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

static void close_manager(int fd, char *path)
{
    unsetenv("NOTIFY_SOCKET");
    close(fd);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static const char *told(int fd)
{
    static char text[128];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);

    text[length < 0 ? 0 : length] = '\0';
    return text;
}

/* Nothing of the old one is left, here and in the store; other things stay. */
static void renew_journal(struct kept *kept, int manager)
{
    int fd = memory_make("journal", JOURNAL_SIZE);
    size_t count = kept->count;
    char byte = 1;

    ck_assert_int_eq(kept_add(kept, KEPT_JOURNAL, fd), 0);
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=journal");
    ck_assert_int_eq(pwrite(fd, &byte, 1, 0), 1);
    log_set_level(LOG_CRIT);
    kept_renew(kept);
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=journal");
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=journal");
    ck_assert_str_eq(told(manager), "");
    ck_assert_uint_eq(kept->count, count + 1);
    ck_assert(!is_open(fd));
    ck_assert_int_eq(pread(kept_find(kept, KEPT_JOURNAL), &byte, 1, 0), 1);
    ck_assert_int_eq(byte, 0);
    kept_remove(kept, KEPT_JOURNAL);
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=journal");
}

START_TEST(the_manager_has_copies)
{
    char path[64] = "/tmp/netbroker-unit-XXXXXX";
    struct kept kept = {0};
    int manager = open_manager(path);

    kept_take(&kept, "mroute-a", dup(0));
    ck_assert_str_eq(told(manager), "");
    kept_store(&kept);
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=mroute-a");
    kept_store(&kept);
    ck_assert_str_eq(told(manager), "");
    kept_add(&kept, "mroute-b", dup(0));
    ck_assert_str_eq(told(manager), "FDSTORE=1\nFDPOLL=0\nFDNAME=mroute-b");
    ck_assert_str_eq(told(manager), "");
    kept_remove(&kept, "mroute-a");
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=mroute-a");
    ck_assert(kept_inherit(&kept, "mroute-ipv4-253", dup(0)));
    kept_store(&kept);
    ck_assert_str_eq(told(manager), "");
    ck_assert(!kept_inherit(&kept, "mroute-ipv5-253", 0));
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=mroute-ipv5-253");
    renew_journal(&kept, manager);
    kept_remove(&kept, "mroute-b");
    kept_remove(&kept, "mroute-ipv4-253");
    close_manager(manager, path);
}
END_TEST

/* It would undo what that version acknowledged. */
START_TEST(a_journal_that_an_older_version_left_behind_is_given_up)
{
    char path[64] = "/tmp/netbroker-unit-XXXXXX";
    struct kept kept = {0};
    int manager = open_manager(path), fd = memory_make("journal", JOURNAL_SIZE);

    ck_assert(kept_inherit(&kept, KEPT_JOURNAL, fd));
    kept_inherited(&kept);
    ck_assert_int_eq(kept_find(&kept, KEPT_JOURNAL), fd);
    ck_assert(!kept_inherit(&kept, "joins-record", 0));
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=joins-record");
    kept_inherited(&kept);
    ck_assert_int_eq(kept_find(&kept, KEPT_JOURNAL), -1);
    ck_assert(!is_open(fd));
    ck_assert_str_eq(told(manager), "FDSTOREREMOVE=1\nFDNAME=journal");
    close_manager(manager, path);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_is_kept_is_found_by_name);
    tcase_add_test(tests, a_name_has_a_kind_and_an_end);
    tcase_add_test(tests, so_many_names_of_what_lasts_are_ever_kept);
    tcase_add_test(tests, a_broker_has_what_is_lent);
    tcase_add_test(tests, a_journal_of_another_size_is_not_taken);
    tcase_add_test(tests, the_manager_has_copies);
    tcase_add_test(tests, a_journal_that_an_older_version_left_behind_is_given_up);
}

int main(void)
{
    return suite_run("kept", add_tests);
}
