/* The library against a service that never answers, and against arguments that are not there. */
#include "netbroker.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 60, PATIENCE_MS = 20000 };

struct fixture {
    char folder[32];
    struct sockaddr_un address;
    struct nb_client *client;
    struct nb_request *request;
    int listener, service; /* the other end; -1: nobody accepts */
    struct timespec start;
};

static void open_listener(struct fixture *f)
{
    *f = (struct fixture){
        .folder = "/tmp/netbroker-XXXXXX", .address.sun_family = AF_UNIX, .service = -1};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->address.sun_path, sizeof f->address.sun_path, "%s/socket", f->folder);
    f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(f->listener, (const struct sockaddr *)&f->address, sizeof f->address), 0);
    ck_assert_int_eq(listen(f->listener, 0), 0);
    ck_assert_int_eq(nb_request_new(&f->request, "PING"), 0);
    clock_gettime(CLOCK_MONOTONIC, &f->start);
}

static void open_fixture(struct fixture *f)
{
    open_listener(f);
    ck_assert_int_eq(nb_connect(&f->client, f->address.sun_path), 0);
    f->service = accept(f->listener, NULL, NULL);
    ck_assert_int_ge(f->service, 0);
}

static void close_fixture(struct fixture *f)
{
    nb_close(f->client);
    nb_request_free(f->request);
    if (f->service >= 0)
        close(f->service);
    close(f->listener);
    unlink(f->address.sun_path);
    rmdir(f->folder);
}

static void answer(const struct fixture *f, const char *text)
{
    ck_assert_int_eq(send(f->service, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void assert_waited(const struct fixture *f)
{
    struct timespec now;
    long waited;

    clock_gettime(CLOCK_MONOTONIC, &now);
    waited = (now.tv_sec - f->start.tv_sec) * 1000 + (now.tv_nsec - f->start.tv_nsec) / 1000000;
    ck_assert_int_ge(waited, LIMIT_MS - 1);
    ck_assert_int_le(waited, PATIENCE_MS);
}

START_TEST(a_call_without_a_reply_ends)
{
    static char untouched;
    struct nb_reply *reply = (void *)&untouched;
    struct fixture f;

    open_fixture(&f);
    nb_set_timeout(f.client, LIMIT_MS);
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), -ETIMEDOUT);
    assert_waited(&f);
    ck_assert_ptr_eq(reply, &untouched);

    /* A reply that comes late is not taken for another's. */
    answer(&f, "{\"status\":\"success\"}\n");
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), -ETIMEDOUT);
    close_fixture(&f);
}
END_TEST

/* In a process of its own, until the client is gone. */
static pid_t flood_events(const struct fixture *f)
{
    static const char event[] = "{\"event\":\"x\"}\n{\"event\":\"x\"}\n{\"event\":\"x\"}\n";
    pid_t child = fork();

    if (child == 0) {
        close(nb_fd(f->client));
        while (send(f->service, event, strlen(event), MSG_NOSIGNAL) > 0)
            ;
        _exit(0);
    }
    ck_assert_int_gt(child, 0);
    return child;
}

START_TEST(events_without_end_are_no_reply)
{
    struct nb_reply *reply;
    struct fixture f;
    pid_t child;

    open_fixture(&f);
    nb_set_timeout(f.client, LIMIT_MS);
    child = flood_events(&f);
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), -ETIMEDOUT);
    assert_waited(&f);
    close_fixture(&f);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(half_a_reply_is_none)
{
    struct nb_reply *reply;
    struct fixture f;

    open_fixture(&f);
    nb_set_timeout(f.client, LIMIT_MS);
    answer(&f, "{\"status\":");
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), -ETIMEDOUT);
    assert_waited(&f);
    close_fixture(&f);
}
END_TEST

START_TEST(waiting_ends)
{
    struct fixture f;

    open_fixture(&f);
    nb_set_timeout(f.client, LIMIT_MS);
    ck_assert_int_eq(nb_wait(f.client), 0); /* there is nothing to wait for */
    ck_assert_int_eq(nb_submit(f.client, f.request, NULL, NULL), 0);
    ck_assert_int_eq((_i ? nb_wait_once : nb_wait)(f.client), -ETIMEDOUT);
    assert_waited(&f);
    close_fixture(&f);
}
END_TEST

START_TEST(a_reply_in_time_is_a_reply)
{
    struct nb_reply *reply;
    struct fixture f;

    open_fixture(&f);
    nb_set_timeout(f.client, PATIENCE_MS);
    answer(&f, "{\"status\":\"success\"}\n");
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), 0);
    ck_assert_ptr_null(nb_reply_code(reply));
    nb_reply_free(reply);
    close_fixture(&f);
}
END_TEST

/* Connections queue up to the listener's limit; the next one waits. */
START_TEST(a_service_that_accepts_nobody_is_not_waited_for)
{
    struct nb_client *clients[8] = {NULL};
    struct fixture f;
    int result = 0;
    size_t count = 0;

    open_listener(&f);
    while (result == 0 && count < 8)
        result = nb_connect_within(&clients[count++], f.address.sun_path, LIMIT_MS);
    ck_assert_int_eq(result, -ETIMEDOUT);
    ck_assert_uint_gt(count, 1);
    assert_waited(&f);
    for (size_t i = 0; i < count; i++)
        nb_close(clients[i]);
    close_fixture(&f);
}
END_TEST

START_TEST(arguments_that_are_not_there_are_errors)
{
    struct nb_reply *reply;
    struct nb_request *request;
    struct fixture f;

    open_fixture(&f);
    ck_assert_int_eq(nb_connect(NULL, f.address.sun_path), -EINVAL);
    ck_assert_int_eq(nb_request_new(NULL, "PING"), -EINVAL);
    ck_assert_int_eq(nb_request_new(&request, NULL), -EINVAL);
    ck_assert_int_eq(nb_call(NULL, f.request, &reply), -EINVAL);
    ck_assert_int_eq(nb_call(f.client, NULL, &reply), -EINVAL);
    ck_assert_int_eq(nb_call(f.client, f.request, NULL), -EINVAL);
    ck_assert_int_eq(nb_submit(NULL, f.request, NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_submit(f.client, NULL, NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_submit_text(NULL, "{}", 2, NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_submit_text(f.client, NULL, 0, NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_wait(NULL), -EINVAL);
    ck_assert_int_eq(nb_wait_once(NULL), -EINVAL);
    ck_assert_int_eq(nb_dispatch(NULL), -EINVAL);
    ck_assert_int_eq(nb_fd(NULL), -EINVAL);
    ck_assert_int_eq(nb_poll_events(NULL), 0);
    ck_assert_uint_eq(nb_pending(NULL), 0);
    ck_assert_uint_eq(nb_pending(f.client), 0);
    nb_set_timeout(NULL, 1);
    nb_set_event_handler(NULL, NULL, NULL);
    nb_close(NULL);
    nb_request_free(NULL);
    nb_reply_free(NULL);
    close_fixture(&f);
}
END_TEST

START_TEST(a_field_that_is_not_there_is_told_when_it_is_sent)
{
    struct nb_request *request;
    struct fixture f;

    open_fixture(&f);
    ck_assert_int_eq(nb_request_new(&request, "ADD_MFC"), 0);
    switch (_i) {
    case 0:
        nb_request_set_string(request, "group", NULL);
        break;
    case 1:
        nb_request_set_string(request, NULL, "239.1.1.1");
        break;
    case 2:
        nb_request_set_integer(request, NULL, 1);
        break;
    case 3:
        nb_request_set_bool(request, NULL, true);
        break;
    case 4:
        nb_request_set_user(request, "user", 0, NULL, 1);
        break;
    case 5:
        nb_request_add_string(request, "oifs", NULL);
        break;
    case 6:
        nb_request_add_integer(request, NULL, 1);
        break;
    case 7:
        nb_request_set_empty_list(request, NULL);
        break;
    }
    ck_assert_int_eq(nb_submit(f.client, request, NULL, NULL), -EINVAL);
    nb_request_free(request);
    close_fixture(&f);

    nb_request_set_string(NULL, "group", "239.1.1.1");
    nb_request_set_integer(NULL, "idle", 1);
    nb_request_set_bool(NULL, "wait", true);
    nb_request_set_user(NULL, "user", 0, NULL, 0);
    nb_request_add_string(NULL, "oifs", "a");
    nb_request_add_integer(NULL, "ttls", 1);
    nb_request_set_empty_list(NULL, "oifs");
}
END_TEST

START_TEST(no_reply_is_no_success)
{
    ck_assert_str_eq(nb_reply_code(NULL), "internal");
    ck_assert_str_eq(nb_reply_message(NULL), "");
    ck_assert_str_eq(nb_reply_field(NULL), "");
    ck_assert_ptr_null(nb_reply_event(NULL));
    ck_assert_ptr_null(nb_reply_payload(NULL));
    ck_assert_ptr_null(nb_reply_value(NULL));
    ck_assert_ptr_null(nb_value_get(NULL, "a"));
    ck_assert_ptr_null(nb_value_get(NULL, NULL));
    ck_assert_ptr_null(nb_value_first(NULL));
    ck_assert_ptr_null(nb_value_next(NULL));
    ck_assert_str_eq(nb_value_key(NULL), "");
    ck_assert_str_eq(nb_value_string(NULL), "");
    ck_assert_int_eq(nb_value_integer(NULL), 0);
    ck_assert(!nb_value_bool(NULL));
    ck_assert_ptr_null(nb_value_text(NULL));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_call_without_a_reply_ends);
    tcase_add_test(tests, events_without_end_are_no_reply);
    tcase_add_test(tests, half_a_reply_is_none);
    tcase_add_loop_test(tests, waiting_ends, 0, 2);
    tcase_add_test(tests, a_reply_in_time_is_a_reply);
    tcase_add_test(tests, a_service_that_accepts_nobody_is_not_waited_for);
    tcase_add_test(tests, arguments_that_are_not_there_are_errors);
    tcase_add_loop_test(tests, a_field_that_is_not_there_is_told_when_it_is_sent, 0, 8);
    tcase_add_test(tests, no_reply_is_no_success);
}

int main(void)
{
    return suite_run("client_limits", add_tests);
}
