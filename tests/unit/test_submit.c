/* Requests that are text already: the library sends whole ones as they are, and refuses what the
 * service could not tell from the next one. */
#include "bounds.h"
#include "netbroker.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fixture {
    char folder[32];
    struct sockaddr_un address;
    struct nb_client *client;
    int listener, service; /* the other end */
    unsigned replies;
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/netbroker-XXXXXX", .address.sun_family = AF_UNIX};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->address.sun_path, sizeof f->address.sun_path, "%s/socket", f->folder);
    f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(f->listener, (const struct sockaddr *)&f->address, sizeof f->address), 0);
    ck_assert_int_eq(listen(f->listener, 1), 0);
    ck_assert_int_eq(nb_connect(&f->client, f->address.sun_path), 0);
    f->service = accept(f->listener, NULL, NULL);
    ck_assert_int_ge(f->service, 0);
}

static void close_fixture(struct fixture *f)
{
    nb_close(f->client);
    close(f->service);
    close(f->listener);
    unlink(f->address.sun_path);
    rmdir(f->folder);
}

static void count_reply(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct fixture *f = context;

    ck_assert_ptr_eq(client, f->client);
    ck_assert_str_eq(nb_reply_message(reply), "pong");
    f->replies++;
}

static const struct {
    const char *text;
    int result;
} texts[] = {
    {"{\"action\":\"PING\"}", 0},
    {" {\"action\":\"PING\",\"id\":1e9} ", 0},
    {"{}", 0}, /* the service refuses it, by a reply */
    {"", -EINVAL},
    {"{", -EINVAL},
    {"{}{}", -EINVAL},
    {"[]", -EINVAL},
    {"{\"action\":\"PING\"} x", -EINVAL},
    {"{\"action\":\"PING\",\"action\":\"PING\"}", -EINVAL},
};

START_TEST(one_whole_object_is_a_request)
{
    struct fixture f;

    open_fixture(&f);
    ck_assert_int_eq(nb_submit_text(f.client, texts[_i].text, strlen(texts[_i].text), NULL, NULL),
                     texts[_i].result);
    ck_assert_uint_eq(nb_pending(f.client), texts[_i].result == 0);
    close_fixture(&f);
}
END_TEST

START_TEST(a_request_has_its_limit)
{
    char text[REQUEST_MAX + 1];
    struct fixture f;

    open_fixture(&f);
    memset(text, ' ', sizeof text);
    memcpy(text, "{}", 2);
    ck_assert_int_eq(nb_submit_text(f.client, text, REQUEST_MAX, NULL, NULL), 0);
    ck_assert_int_eq(nb_submit_text(f.client, text, REQUEST_MAX + 1, NULL, NULL), -EMSGSIZE);
    ck_assert_uint_eq(nb_pending(f.client), 1);
    close_fixture(&f);
}
END_TEST

/* What was refused leaves no byte behind. */
START_TEST(texts_are_sent_as_they_are)
{
    static const char ping[] = "{ \"action\": \"PING\" }",
                      pong[] = "{\"status\":\"success\",\"message\":\"pong\"}\n";
    char seen[128];
    struct fixture f;

    open_fixture(&f);
    ck_assert_int_eq(nb_submit_text(f.client, "{", 1, count_reply, &f), -EINVAL);
    ck_assert_int_eq(nb_submit_text(f.client, ping, sizeof ping - 1, count_reply, &f), 0);
    ck_assert_int_eq(nb_dispatch(f.client), 0);
    ck_assert_int_eq(recv(f.service, seen, sizeof seen, 0), sizeof ping);
    ck_assert_int_eq(memcmp(seen, ping, sizeof ping - 1), 0);
    ck_assert_int_eq(seen[sizeof ping - 1], '\n');
    ck_assert_int_eq(send(f.service, pong, sizeof pong - 1, 0), sizeof pong - 1);
    ck_assert_int_eq(nb_wait(f.client), 0);
    ck_assert_uint_eq(f.replies, 1);
    close_fixture(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, one_whole_object_is_a_request, 0,
                        (int)(sizeof texts / sizeof *texts));
    tcase_add_test(tests, a_request_has_its_limit);
    tcase_add_test(tests, texts_are_sent_as_they_are);
}

int main(void)
{
    return suite_run("submit", add_tests);
}
