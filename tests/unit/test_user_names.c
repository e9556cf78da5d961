/* Names of users: as the file has them, while it changes, and whatever stands in it. */
#include "broker/guard/user_names.h"

#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/netbroker-users-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void begin(struct user_names *names, const char *text)
{
    write_file(text);
    user_names_init(names, path);
}

static const char *format(struct user_names *names, uid_t uid)
{
    static char text[USER_TEXT_MAX];

    return user_format(names, uid, text);
}

START_TEST(a_name_stands_before_its_number)
{
    struct user_names names;

    begin(&names, "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\ntoor:x:0:0::/:\n"
                  "last:x:7:7::/:");
    ck_assert_str_eq(format(&names, 65534), "nobody (65534)");
    ck_assert_str_eq(format(&names, 0), "root (0)");
    ck_assert_str_eq(format(&names, 7), "last (7)");
    ck_assert_str_eq(format(&names, 8), "8");
    ck_assert_str_eq(format(&names, (uid_t)-1), "configuration (4294967295)");
    ck_assert_str_eq(format(NULL, 0), "0");
    user_names_clear(&names);
}
END_TEST

START_TEST(the_file_is_read_again_when_it_changed)
{
    struct user_names names;

    begin(&names, "alice:x:1001:1001::/:/bin/sh\n");
    ck_assert_str_eq(format(&names, 1001), "alice (1001)");
    write_file("alice:x:1001:1001::/:/bin/sh\nbob:x:1002:1002::/:/bin/sh\n");
    ck_assert_str_eq(format(&names, 1002), "bob (1002)");
    unlink(path);
    ck_assert_str_eq(format(&names, 1002), "1002");
    write_file("carol:x:1002:1002::/:/bin/sh\n");
    ck_assert_str_eq(format(&names, 1002), "carol (1002)");
    user_names_clear(&names);
}
END_TEST

static const char *const strange[] = {"",
                                      "\n\n",
                                      ":",
                                      "::::",
                                      "a:b",
                                      "a\033[2J:x:5:5::/:\n",
                                      "a b:x:5:5::/:\n",
                                      "a'b:x:5:5::/:\n",
                                      "a:x:-5:5::/:\n",
                                      "a:x:5x:5::/:\n",
                                      "a:x:4294967301:5::/:\n",
                                      "a:x::5::/:\n",
                                      ":x:5:5::/:\n",
                                      "a:x:5",
                                      "+::::::\n",
                                      "a-name-of-more-than-thirty-two-letters:x:5:5::/:\n"};

START_TEST(what_is_no_name_is_passed_over)
{
    struct user_names names;

    begin(&names, strange[_i]);
    ck_assert_str_eq(format(&names, 5), "5");
    ck_assert_str_eq(format(&names, 0), "0");
    user_names_clear(&names);
}
END_TEST

/* A folder, a pipe that nobody writes to, or a file that is too large. */
START_TEST(what_is_no_small_file_is_not_read)
{
    struct user_names names;

    user_names_init(&names, "/tmp");
    ck_assert_str_eq(format(&names, 0), "0");
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    names.file.path = path;
    ck_assert_str_eq(format(&names, 0), "0");
    unlink(path);
    write_file("root:x:0:0::/:/bin/sh\n");
    ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0);
    ck_assert_str_eq(format(&names, 0), "0");
    user_names_clear(&names);
}
END_TEST

static void add_tests(TCase *tests)
{
    close(mkstemp(path));
    tcase_add_test(tests, a_name_stands_before_its_number);
    tcase_add_test(tests, the_file_is_read_again_when_it_changed);
    tcase_add_loop_test(tests, what_is_no_name_is_passed_over, 0,
                        (int)(sizeof strange / sizeof *strange));
    tcase_add_test(tests, what_is_no_small_file_is_not_read);
}

int main(void)
{
    int status = suite_run("user_names", add_tests);

    unlink(path);
    return status;
}
