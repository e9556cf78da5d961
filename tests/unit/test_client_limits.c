/* The library against a service that never answers, or sends other descriptors than it says, and
 * against arguments that are not there. */
#include "fdpass.h"
#include "netbroker.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
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

/* The queue is full until a signal has broken off the wait some times. */
enum { SIGNALS = 3, SIGNAL_US = 5000 };

static int full_listener;
static volatile sig_atomic_t signals, accepted;

static void accept_after_signals(int number)
{
    (void)number;
    if (++signals == SIGNALS)
        accepted = accept(full_listener, NULL, NULL);
}

static size_t fill_queue(const struct fixture *f, int *fds, size_t most)
{
    size_t count = 0;
    int result = 0;

    while (result == 0 && count < most) {
        fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        result = connect(fds[count++], (const struct sockaddr *)&f->address, sizeof f->address);
    }
    ck_assert_int_eq(errno, EAGAIN);
    return count;
}

START_TEST(a_full_queue_is_waited_for_whatever_signals_come)
{
    struct itimerval often = {{0, SIGNAL_US}, {0, SIGNAL_US}}, never = {0};
    struct sigaction action = {.sa_handler = accept_after_signals};
    struct fixture f;
    int fds[8];
    size_t count;

    open_listener(&f);
    count = fill_queue(&f, fds, sizeof fds / sizeof *fds);
    full_listener = f.listener;
    signals = accepted = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    ck_assert_int_eq(nb_connect_within(&f.client, f.address.sun_path, _i ? PATIENCE_MS : 0), 0);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    ck_assert_int_ge(signals, SIGNALS);
    close(accepted);
    while (count > 0)
        close(fds[--count]);
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
    ck_assert_int_eq(nb_reply_fd(NULL, "a"), -EINVAL);
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

/* --- Descriptors --------------------------------------------------------------------------- */

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -1; /* that of the folder itself */

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Sends the text with so many descriptors, all of one file that tells them from others. */
static ino_t answer_with(const struct fixture *f, const char *text, size_t count)
{
    int pair[2], fds[FDPASS_MAX];
    struct stat status;

    ck_assert_int_eq(pipe(pair), 0);
    ck_assert_int_eq(fstat(pair[0], &status), 0);
    for (size_t i = 0; i < count; i++)
        fds[i] = pair[0];
    ck_assert_int_eq(fdpass_send_some(f->service, text, strlen(text), fds, count),
                     (ssize_t)strlen(text));
    close(pair[0]);
    close(pair[1]);
    return status.st_ino;
}

static void assert_takes(const struct nb_reply *reply, const char *name, ino_t inode)
{
    int fd = nb_reply_fd(reply, name);
    struct stat status;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq(status.st_ino, inode);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

START_TEST(descriptors_are_taken_by_name)
{
    struct nb_reply *reply;
    struct fixture f;
    int before;
    ino_t inode;

    open_fixture(&f);
    before = count_descriptors();
    inode = answer_with(&f, "{\"status\":\"success\",\"fds\":[\"a\",\"b\",\"c\"]}\n", 3);
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), 0);
    ck_assert_int_eq(count_descriptors(), before + 3);
    assert_takes(reply, "b", inode);
    ck_assert_int_eq(nb_reply_fd(reply, "b"), -ENOENT);
    assert_takes(reply, "a", inode);
    ck_assert_int_eq(nb_reply_fd(reply, "d"), -ENOENT);
    ck_assert_int_eq(nb_reply_fd(reply, NULL), -EINVAL);
    nb_reply_free(reply);
    ck_assert_int_eq(count_descriptors(), before);

    answer(&f, "{\"status\":\"success\",\"fds\":[]}\n");
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), 0);
    ck_assert_int_eq(nb_reply_fd(reply, "a"), -ENOENT);
    nb_reply_free(reply);
    close_fixture(&f);
}
END_TEST

static void take_expected(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    ino_t *inode = context;

    (void)client;
    if (*inode)
        assert_takes(reply, "a", *inode);
    else
        ck_assert_int_eq(nb_reply_fd(reply, "a"), -ENOENT);
    *inode = 0;
}

/* One read may return the end of earlier replies, the reply with descriptors, and later ones. */
START_TEST(each_reply_has_its_own_descriptors)
{
    static const char plain[] = "{\"status\":\"success\"}\n";
    static const char lends[] = "{\"status\":\"success\",\"fds\":[\"a\"]}\n{\"status\":"
                                "\"success\"} ";
    ino_t expected[16];
    struct fixture f;
    int before;

    open_fixture(&f);
    before = count_descriptors();
    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(nb_submit(f.client, f.request, take_expected, &expected[i]), 0);
    for (int i = 0; i < 15; i += 3) {
        expected[i] = expected[i + 2] = 0;
        answer(&f, plain);
        expected[i + 1] = answer_with(&f, lends, 1);
    }
    if (_i)
        ck_assert_int_eq(nb_wait(f.client), 0);
    while (nb_pending(f.client))
        ck_assert_int_eq(nb_wait_once(f.client), 0);
    for (int i = 0; i < 15; i++)
        ck_assert_uint_eq(expected[i], 0);
    ck_assert_int_eq(count_descriptors(), before);
    close_fixture(&f);
}
END_TEST

/* What a service must not send, in two parts; how many descriptors come with each. */
static const struct {
    const char *first;
    size_t first_count;
    const char *second;
    size_t second_count;
} wrong_answers[] = {
    {"{\"status\":\"success\"}", 1, "", 0},
    {"{\"status\":\"success\"}\n ", FDPASS_MAX, "", 0},
    {"{\"status\":\"success\",\"fds\":[]}", 1, "", 0},
    {"{\"status\":\"success\",\"fds\":[\"a\"]}", 0, "", 0},
    {"{\"status\":\"success\",\"fds\":[\"a\"]}", 2, "", 0},
    {"{\"status\":\"success\",\"fds\":[\"a\",\"b\"]}", 1, "", 0},
    {"{\"status\":\"success\",\"fds\":\"a\"}", 1, "", 0},
    {"{\"status\":\"success\",\"fds\":[1]}", 1, "", 0},
    {"{\"status\":\"success\",\"fds\":{\"a\":1}}", 1, "", 0},
    {"{\"status\":\"success\",", 0, "\"fds\":[\"a\"]}", 1},
    {"{\"status\":\"success\",", 1, "\"fds\":[\"a\",\"b\"]}", 1},
    {"{\"status\":\"success\"", 1, "}", 0},
    {"\n", 1, "{\"status\":\"success\",\"fds\":[\"a\"]}", 0},
    {"{\"event\":\"x\"}", 1, "{\"status\":\"success\"}", 0},
    {"garbage", 3, "", 0},
};

enum { WRONG_ANSWERS = sizeof wrong_answers / sizeof *wrong_answers };

START_TEST(other_descriptors_than_named_are_an_error)
{
    struct nb_reply *reply;
    struct fixture f;
    int before = count_descriptors(), result = 0;

    open_fixture(&f);
    answer_with(&f, wrong_answers[_i].first, wrong_answers[_i].first_count);
    if (wrong_answers[_i].second[0]) { /* a read of its own, whatever came with the first */
        ck_assert_int_eq(nb_submit(f.client, f.request, NULL, NULL), 0);
        result = nb_dispatch(f.client);
        answer_with(&f, wrong_answers[_i].second, wrong_answers[_i].second_count);
    }
    if (result == 0)
        result = nb_call(f.client, f.request, &reply);
    ck_assert_int_eq(result, -EBADMSG);
    ck_assert_int_eq(nb_dispatch(f.client), -EBADMSG);
    close_fixture(&f);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(a_thousand_descriptors_do_not_stay)
{
    struct fixture f;
    int before = count_descriptors();

    open_fixture(&f);
    for (int i = 0; i < 4; i++)
        answer_with(&f, i ? " " : "{", 250);
    ck_assert_int_eq(nb_submit(f.client, f.request, NULL, NULL), 0);
    ck_assert_int_eq(nb_wait(f.client), -EBADMSG);
    ck_assert_int_le(count_descriptors(), before + 250 + 4);
    close_fixture(&f);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* It limits descriptors by itself: the kernel still gives more. */
static bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

START_TEST(descriptors_without_room_are_told)
{
    struct nb_reply *reply;
    struct fixture f;
    struct rlimit limit, narrow;
    int before;

    if (is_under_valgrind())
        return;
    open_fixture(&f);
    before = count_descriptors();
    answer_with(&f, "{\"status\":\"success\",\"fds\":[\"a\",\"b\",\"c\"]}\n", 3);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    narrow = (struct rlimit){(rlim_t)dup(0) + (rlim_t)_i, limit.rlim_max};
    close((int)narrow.rlim_cur - _i);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &narrow), 0);
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_ptr_null(nb_reply_code(reply));
    ck_assert_int_eq(nb_reply_fd(reply, "a"), -EMFILE);
    ck_assert_int_eq(nb_reply_fd(reply, "c"), -EMFILE);
    ck_assert_int_eq(nb_reply_fd(reply, "d"), -ENOENT);
    nb_reply_free(reply);
    ck_assert_int_eq(count_descriptors(), before);
    close_fixture(&f);
}
END_TEST

/* What is read beyond the places is seen by a sanitizer. */
START_TEST(more_names_than_places_are_no_places)
{
    static char text[64 + 4 * 10000] = "{\"status\":\"success\",\"fds\":[";
    struct rlimit limit, narrow;
    struct nb_reply *reply;
    struct fixture f;

    if (is_under_valgrind())
        return;
    open_fixture(&f);
    for (int i = 0; i < 10000; i++)
        strcat(text, "\"a\",");
    strcat(text, "\"z\"]}\n");
    answer_with(&f, text, 3);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    narrow = (struct rlimit){(rlim_t)dup(0), limit.rlim_max};
    close((int)narrow.rlim_cur);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &narrow), 0);
    ck_assert_int_eq(nb_call(f.client, f.request, &reply), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(nb_reply_fd(reply, "z"), -EMFILE);
    nb_reply_free(reply);
    close_fixture(&f);
}
END_TEST

START_TEST(the_end_of_a_client_closes_descriptors)
{
    struct fixture f;
    int before = count_descriptors();

    open_fixture(&f);
    answer_with(&f, "{\"status\":", 3);
    ck_assert_int_eq(nb_dispatch(f.client), 0);
    ck_assert_int_eq(count_descriptors(), before + 6);
    close_fixture(&f);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* --- The reason of the end ----------------------------------------------------------------- */

#define REASON "{\"status\":\"error\",\"code\":\"too-slow\",\"message\":\"The connection ends.\"}\n"

static void end_service(struct fixture *f)
{
    close(f->service);
    f->service = -1;
}

/* The error that follows is that of the reply. */
static void expect_reason_of_broken(struct fixture *f)
{
    struct nb_reply *reply;

    ck_assert_int_eq(nb_call(f->client, f->request, &reply), 0);
    ck_assert_str_eq(nb_reply_code(reply), "too-slow");
    nb_reply_free(reply);
    ck_assert_int_lt(nb_call(f->client, f->request, &reply), 0);
}

static void expect_reason(struct fixture *f)
{
    struct nb_reply *reply;

    ck_assert_int_eq(nb_call(f->client, f->request, &reply), 0);
    ck_assert_str_eq(nb_reply_code(reply), "too-slow");
    nb_reply_free(reply);
    ck_assert_int_eq(nb_call(f->client, f->request, &reply), -EPIPE);
}

START_TEST(the_next_request_learns_why_the_connection_ended)
{
    struct fixture f;

    open_fixture(&f);
    answer(&f, REASON);
    end_service(&f);
    expect_reason(&f); /* nothing was read before */
    close_fixture(&f);

    open_fixture(&f);
    answer(&f, REASON);
    ck_assert_int_eq(nb_dispatch(f.client), 0);
    end_service(&f);
    ck_assert_int_eq(nb_dispatch(f.client), -EPIPE);
    expect_reason(&f);
    close_fixture(&f);
}
END_TEST

static void count_event(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    (void)client;
    (void)reply;
    ++*(int *)context;
}

START_TEST(the_reason_is_no_event)
{
    struct fixture f;
    int events = 0;

    open_fixture(&f);
    nb_set_event_handler(f.client, count_event, &events);
    answer(&f, REASON);
    end_service(&f);
    ck_assert_int_eq(nb_wait(f.client), -EPIPE);
    ck_assert_int_eq(events, 0);
    expect_reason(&f);
    close_fixture(&f);
}
END_TEST

START_TEST(the_reason_follows_a_reply_that_was_broken_off)
{
    static const char *const beginnings[] = {
        "{\"status\":\"success\",\"payload\":{\"mfc_rules\":[{\"group\":\"239.1.1.1\"},\n",
        "{\"status\":\"success\",\"payload\":{\"mfc_rules\":[{\"group\":\"239.1\n",
        "{\"status\":\"success\",\"payload\":{\"mfc_rules\"\n",
    };

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        struct fixture f;

        open_fixture(&f);
        answer(&f, beginnings[i]);
        answer(&f, REASON);
        end_service(&f);
        expect_reason_of_broken(&f);
        close_fixture(&f);
    }
}
END_TEST

START_TEST(nothing_follows_the_reason)
{
    static const char *const more[] = {REASON, "{\"status\":\"success\"}\n",
                                       "{\"event\":\"mfc.added\"}\n"};

    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct fixture f;

        open_fixture(&f);
        answer(&f, REASON);
        answer(&f, more[i]);
        ck_assert_int_eq(nb_dispatch(f.client), -EBADMSG);
        close_fixture(&f);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_next_request_learns_why_the_connection_ended);
    tcase_add_test(tests, the_reason_is_no_event);
    tcase_add_test(tests, the_reason_follows_a_reply_that_was_broken_off);
    tcase_add_test(tests, nothing_follows_the_reason);
    tcase_add_test(tests, descriptors_are_taken_by_name);
    tcase_add_loop_test(tests, each_reply_has_its_own_descriptors, 0, 2);
    tcase_add_loop_test(tests, other_descriptors_than_named_are_an_error, 0, WRONG_ANSWERS);
    tcase_add_test(tests, a_thousand_descriptors_do_not_stay);
    tcase_add_loop_test(tests, descriptors_without_room_are_told, 0, 3);
    tcase_add_test(tests, more_names_than_places_are_no_places);
    tcase_add_test(tests, the_end_of_a_client_closes_descriptors);
    tcase_add_test(tests, a_call_without_a_reply_ends);
    tcase_add_test(tests, events_without_end_are_no_reply);
    tcase_add_test(tests, half_a_reply_is_none);
    tcase_add_loop_test(tests, waiting_ends, 0, 2);
    tcase_add_test(tests, a_reply_in_time_is_a_reply);
    tcase_add_test(tests, a_service_that_accepts_nobody_is_not_waited_for);
    tcase_add_loop_test(tests, a_full_queue_is_waited_for_whatever_signals_come, 0, 2);
    tcase_add_test(tests, arguments_that_are_not_there_are_errors);
    tcase_add_loop_test(tests, a_field_that_is_not_there_is_told_when_it_is_sent, 0, 8);
    tcase_add_test(tests, no_reply_is_no_success);
}

int main(void)
{
    return suite_run("client_limits", add_tests);
}
