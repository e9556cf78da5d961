#include "broker/netifs.h"
#include "fake.h"
#include "suite.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

struct record {
    char text[1024]; /* "+a -b a>c ", in order */
};

static void listen_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct record *record = context;
    char *end = record->text + strlen(record->text);

    if (!was)
        sprintf(end, "+%s ", is->name);
    else if (!is)
        sprintf(end, "-%s ", was->name);
    else
        sprintf(end, "%s%s>%s%s ", was->name, was->running ? "" : "!", is->name,
                is->running ? "" : "!");
}

static struct netifs *begin(struct record *record)
{
    struct netifs *netifs;

    fake_reset();
    fake_netif_add("a");
    fake_netif_add("b");
    record->text[0] = '\0';
    netifs = netifs_new(listen_netif, record);
    ck_assert_ptr_nonnull(netifs);
    ck_assert_str_eq(record->text, "+a +b ");
    record->text[0] = '\0';
    return netifs;
}

static bool is_readable(const struct netifs *netifs)
{
    struct pollfd polled = {.fd = netifs_fd(netifs), .events = POLLIN};

    return poll(&polled, 1, 0) == 1;
}

START_TEST(changes_are_told_once_and_in_order)
{
    struct record record;
    struct netifs *netifs = begin(&record);

    ck_assert(!is_readable(netifs));
    fake_netif_add("c");
    fake_netif_del("a");
    fake_netif_rename("b", "d");
    fake_netif_set_running("d", false);
    fake_netif_set_running("d", false);
    ck_assert(is_readable(netifs));
    netifs_update(netifs);
    ck_assert_str_eq(record.text, "+c -a b>d d>d! ");
    netifs_update(netifs);
    ck_assert_str_eq(record.text, "+c -a b>d d>d! ");
    netifs_free(netifs);
}
END_TEST

START_TEST(names_and_indexes_find_the_same)
{
    struct record record;
    struct netifs *netifs = begin(&record);
    const struct netif *b = netifs_find(netifs, "b");

    ck_assert_ptr_eq(netifs_find_index(netifs, b->ifindex), b);
    ck_assert_ptr_null(netifs_find(netifs, "c"));
    ck_assert_ptr_null(netifs_find(netifs, ""));
    ck_assert_ptr_null(netifs_find_index(netifs, 99));
    fake_netif_rename("b", "c");
    netifs_update(netifs);
    ck_assert_ptr_null(netifs_find(netifs, "b"));
    ck_assert_str_eq(netifs_find(netifs, "c")->name, "c");
    netifs_free(netifs);
}
END_TEST

START_TEST(a_name_made_again_is_another_interface)
{
    struct record record;
    struct netifs *netifs = begin(&record);
    unsigned before = netifs_find(netifs, "a")->ifindex;

    fake_netif_del("a");
    fake_netif_add("a");
    netifs_update(netifs);
    ck_assert_str_eq(record.text, "-a +a ");
    ck_assert_uint_ne(netifs_find(netifs, "a")->ifindex, before);
    netifs_free(netifs);
}
END_TEST

/* Word that was lost: what changed meanwhile is told, and nothing else. */
START_TEST(an_overrun_is_made_good)
{
    struct record record;
    struct netifs *netifs = begin(&record);

    fake_netif_add("c");
    fake_netif_del("a");
    fake_netif_rename("b", "d");
    fake_netifs_overrun();
    netifs_update(netifs);
    ck_assert_ptr_nonnull(strstr(record.text, "+c "));
    ck_assert_ptr_nonnull(strstr(record.text, "-a "));
    ck_assert_ptr_nonnull(strstr(record.text, "b>d "));
    ck_assert_uint_eq(strlen(record.text), strlen("+c -a b>d "));
    netifs_free(netifs);
}
END_TEST

START_TEST(many_interfaces_are_kept)
{
    struct record record;
    struct netifs *netifs = begin(&record);

    for (int i = 0; i < 100; i++) {
        char name[16];

        sprintf(name, "n%d", i);
        fake_netif_add(name);
    }
    netifs_update(netifs);
    ck_assert_ptr_nonnull(netifs_find(netifs, "a"));
    ck_assert_ptr_nonnull(netifs_find(netifs, "n99"));
    netifs_free(netifs);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, changes_are_told_once_and_in_order);
    tcase_add_test(tests, names_and_indexes_find_the_same);
    tcase_add_test(tests, a_name_made_again_is_another_interface);
    tcase_add_test(tests, an_overrun_is_made_good);
    tcase_add_test(tests, many_interfaces_are_kept);
}

int main(void)
{
    return suite_run("netifs", add_tests);
}
