/* What all pools and the process can take together fits the limits of the unit: a test, so that a
 * default that is raised here is seen there. What each thing costs was measured on Linux 6.18, by
 * the resident memory of the broker with 6,600 connections and with 40,000 routes. */
#include "broker/guard/users.h"
#include "broker/wire/server.h"
#include "keeper/kept.h"
#include "limit.h"
#include "resources/join/operations.h"
#include "resources/mroute/mroute.h"
#include "resources/tap/operations.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROCESSES = 16 * 1024 * 1024,
    CONNECTION = 700 + 4096, /* 654 bytes here, less than 4 KiB in the kernel */
    LEASE = 600,             /* with its route: 550 bytes */
    LEARNED = 500,           /* with its route, without a lease */
    FILE_MAX = 65536,
};

/* The number that a setting of the file has. */
static unsigned long long value_in(const char *path, const char *name)
{
    static char text[FILE_MAX];
    char key[64], *at;
    FILE *file = fopen(path, "r");
    size_t length;

    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    snprintf(key, sizeof key, "\n%s=", name);
    at = strstr(text, key);
    ck_assert_msg(at != NULL, "%s", name);

    unsigned long long value = strtoull(at + strlen(key), &at, 10);

    return *at == 'M' ? value << 20 : *at == 'G' ? value << 30 : value;
}

static unsigned long long unit_value(const char *name)
{
    return value_in(NB_UNIT_FILE, name);
}

START_TEST(memory_is_below_two_thirds_of_the_unit_s)
{
    const struct limits l = LIMITS_DEFAULT;
    unsigned long long leases = (unsigned long long)l.leases_per_user * USERS_SHARE_PART;
    unsigned long long sum = PROCESSES + JOURNAL_SIZE + l.queued_bytes;

    sum += (unsigned long long)l.connections * CONNECTION;
    sum += (unsigned long long)l.capture_mib << 20; /* all of it rings, at most */
    sum += leases * LEASE + (unsigned long long)l.learned_routes * LEARNED;
    ck_assert_uint_lt(sum, unit_value("MemoryMax") / 3 * 2);
}
END_TEST

/* An eighth is for replies, a third for what clients send. */
START_TEST(descriptors_are_below_the_unit_s)
{
    const struct limits l = LIMITS_DEFAULT;
    unsigned long long all = unit_value("LimitNOFILE") - DESCRIPTORS_RESERVED;

    ck_assert_uint_le(l.connections,
                      all - all / DESCRIPTORS_TO_ONE_SENT - all / DESCRIPTORS_TO_ONE_RECEIVED);
}
END_TEST

START_TEST(the_manager_stores_all_that_the_keeper_keeps)
{
    ck_assert_uint_eq(unit_value("FileDescriptorStoreMax"),
                      TABLES_MAX + 2 * JOIN_SOCKETS_MAX + TAP_LIFELINES_MAX + 1);
    ck_assert_uint_le(unit_value("FileDescriptorStoreMax"), KEPT_MAX);
}
END_TEST

START_TEST(the_queue_is_as_long_whoever_listens)
{
    ck_assert_uint_eq(value_in(NB_SOCKET_UNIT_FILE, "Backlog"), LISTEN_BACKLOG);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, memory_is_below_two_thirds_of_the_unit_s);
    tcase_add_test(tests, descriptors_are_below_the_unit_s);
    tcase_add_test(tests, the_manager_stores_all_that_the_keeper_keeps);
    tcase_add_test(tests, the_queue_is_as_long_whoever_listens);
}

int main(void)
{
    return suite_run("unit_limits", add_tests);
}
