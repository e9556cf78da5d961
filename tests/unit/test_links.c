#include "fake.h"
#include "resources/links.h"
#include "suite.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

struct record {
    char text[1024]; /* "+a -b a>c ", in order */
};

static void listen_link(void *context, const struct link_info *was, const struct link_info *is)
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

static struct links *begin(struct record *record)
{
    struct links *links;

    fake_reset();
    fake_link_add("a");
    fake_link_add("b");
    record->text[0] = '\0';
    links = links_new(listen_link, record);
    ck_assert_ptr_nonnull(links);
    ck_assert_str_eq(record->text, "+a +b ");
    record->text[0] = '\0';
    return links;
}

static bool is_readable(const struct links *links)
{
    struct pollfd polled = {.fd = links_fd(links), .events = POLLIN};

    return poll(&polled, 1, 0) == 1;
}

START_TEST(changes_are_told_once_and_in_order)
{
    struct record record;
    struct links *links = begin(&record);

    ck_assert(!is_readable(links));
    fake_link_add("c");
    fake_link_del("a");
    fake_link_rename("b", "d");
    fake_link_set_running("d", false);
    fake_link_set_running("d", false);
    ck_assert(is_readable(links));
    links_update(links);
    ck_assert_str_eq(record.text, "+c -a b>d d>d! ");
    links_update(links);
    ck_assert_str_eq(record.text, "+c -a b>d d>d! ");
    links_free(links);
}
END_TEST

START_TEST(names_and_indexes_find_the_same)
{
    struct record record;
    struct links *links = begin(&record);
    const struct link_info *b = links_find(links, "b");

    ck_assert_ptr_eq(links_find_index(links, b->ifindex), b);
    ck_assert_ptr_null(links_find(links, "c"));
    ck_assert_ptr_null(links_find(links, ""));
    ck_assert_ptr_null(links_find_index(links, 99));
    fake_link_rename("b", "c");
    links_update(links);
    ck_assert_ptr_null(links_find(links, "b"));
    ck_assert_str_eq(links_find(links, "c")->name, "c");
    links_free(links);
}
END_TEST

START_TEST(a_name_made_again_is_another_interface)
{
    struct record record;
    struct links *links = begin(&record);
    unsigned before = links_find(links, "a")->ifindex;

    fake_link_del("a");
    fake_link_add("a");
    links_update(links);
    ck_assert_str_eq(record.text, "-a +a ");
    ck_assert_uint_ne(links_find(links, "a")->ifindex, before);
    links_free(links);
}
END_TEST

/* Word that was lost: what changed meanwhile is told, and nothing else. */
START_TEST(an_overrun_is_made_good)
{
    struct record record;
    struct links *links = begin(&record);

    fake_link_add("c");
    fake_link_del("a");
    fake_link_rename("b", "d");
    fake_links_overrun();
    links_update(links);
    ck_assert_ptr_nonnull(strstr(record.text, "+c "));
    ck_assert_ptr_nonnull(strstr(record.text, "-a "));
    ck_assert_ptr_nonnull(strstr(record.text, "b>d "));
    ck_assert_uint_eq(strlen(record.text), strlen("+c -a b>d "));
    links_free(links);
}
END_TEST

START_TEST(many_interfaces_are_kept)
{
    struct record record;
    struct links *links = begin(&record);

    for (int i = 0; i < 100; i++) {
        char name[16];

        sprintf(name, "n%d", i);
        fake_link_add(name);
    }
    links_update(links);
    ck_assert_ptr_nonnull(links_find(links, "a"));
    ck_assert_ptr_nonnull(links_find(links, "n99"));
    links_free(links);
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
    return suite_run("links", add_tests);
}
