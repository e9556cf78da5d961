/* Descriptors in replies and requests: which byte they leave with, who is charged for them and for
 * how long, and that none stays open. */
#include "client.h"
#include "fdpass.h"

#include "broker/wire/received.h"
#include "broker/wire/request_fds.h"
#include "broker/wire/session_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -1; /* that of the folder itself */

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void wait_a_moment(struct service *s)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* The time passes in which what they used is forgotten. */
static void forget_users(struct service *s)
{
    for (int i = 0; i < 100 && s->services.users.pools.accounts.count > 0; i++)
        sessions_tick(&s->services);
}

static void expect_descriptors(struct service *s, int expected)
{
    for (int i = 0; i < 2000 && count_descriptors() != expected; i++)
        wait_a_moment(s);
    ck_assert_int_eq(count_descriptors(), expected);
}

static void expect_charged(struct service *s, unsigned expected)
{
    for (int i = 0; i < 2000 && s->services.users.sent.used != expected; i++)
        wait_a_moment(s);
    ck_assert_uint_eq(s->services.users.sent.used, expected);
}

/* The session of the client that connected last. */
static struct session *newest(struct service *s)
{
    return LIST_FIRST(&s->services.sessions.list);
}

static struct call make_call(struct service *s, struct session *session)
{
    return (struct call){
        .peer = &session->peer,
        .out = &session->out,
        .services = &s->services,
        .session = session,
    };
}

static bool lend(struct service *s, struct session *session, struct error *error)
{
    struct call call = make_call(s, session);
    int pair[2];

    if (!session_reserve_fds(session, "left right", error))
        return false;
    ck_assert_int_eq(pipe(pair), 0);
    reply_fd(&call, "left", pair[0]);
    reply_fd(&call, "right", pair[1]);
    reply_close(reply_open(&call, "Lent."));
    session_settle_fds(session);
    session_watch(session);
    return true;
}

/* Reads once; the descriptors are closed. Returns how many came. */
static size_t read_client(struct service *s, int n, char *text, size_t size)
{
    struct fdpass_list list;
    ssize_t length = fdpass_receive_some(s->clients[n], text, size - 1, &list, FDPASS_MAX);

    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    fdpass_close(&list);
    return list.count;
}

START_TEST(descriptors_leave_with_the_first_byte_of_their_reply)
{
    struct service s;
    struct session *session;
    struct error error;
    char text[4096];
    int before;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    session = newest(&s);
    before = count_descriptors();

    /* A reply that was not sent yet stands before it. */
    struct call call = make_call(&s, session);

    reply_success(&call, "Earlier.");
    ck_assert(lend(&s, session, &error));
    service_settle(&s);
    ck_assert_uint_eq(s.services.users.sent.used, 2);

    ck_assert_int_gt(recv(s.clients[0], text, 1, MSG_PEEK), 0);
    ssize_t earlier = recv(s.clients[0], text, sizeof text, MSG_PEEK);

    ck_assert_int_gt(earlier, 0);
    ck_assert_uint_eq(read_client(&s, 0, text, sizeof text), 2);
    char *lent = strchr(text, '\n') + 1;

    ck_assert_ptr_nonnull(strstr(text, "Earlier."));
    ck_assert_str_eq(lent, "{\"status\":\"success\",\"fds\":[\"left\",\"right\"],\"message\":"
                           "\"Lent.\",\"payload\":{}}\n");
    expect_charged(&s, 0);
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

/* One byte at a time: they come with the first one of the reply, and with no other. */
START_TEST(no_other_byte_carries_descriptors)
{
    struct service s;
    struct session *session;
    struct error error;
    char text[2];
    bool newline = false;
    size_t seen = 0;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    session = newest(&s);

    struct call call = make_call(&s, session);

    reply_success(&call, "Earlier.");
    ck_assert(lend(&s, session, &error));
    service_settle(&s);
    while (seen == 0) {
        size_t count = read_client(&s, 0, text, sizeof text);

        ck_assert_uint_eq(count, newline ? 2 : 0);
        seen += count;
        newline = text[0] == '\n';
    }
    while (text[0] != '\n')
        ck_assert_uint_eq(read_client(&s, 0, text, sizeof text), 0);
    service_end(&s);
}
END_TEST

START_TEST(nothing_more_is_taken_until_they_are_read)
{
    struct service s;
    struct session *session;
    struct error error;
    char text[4096];

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    session = newest(&s);
    ck_assert(lend(&s, session, &error));
    client_say(&s, 1, "{\"action\":\"PING\"}{\"action\":\"PING\"}");
    for (int i = 0; i < 20; i++)
        wait_a_moment(&s);
    ck_assert_uint_eq(s.services.requests, 0);
    expect(client_ask(&s, 0, "{\"action\":\"PING\"}"), "success");

    ck_assert_uint_eq(read_client(&s, 1, text, sizeof text), 2);
    ck_assert_ptr_null(strstr(text, "pong"));
    expect_charged(&s, 0);
    expect(client_line(&s, 1, NULL), "success");
    expect(client_line(&s, 1, NULL), "success");
    service_end(&s);
}
END_TEST

/* Else nobody would know when the reply is read. */
START_TEST(no_event_comes_until_they_are_read)
{
    struct json payload = {.limit = 64};
    struct service s;
    struct error error;
    char text[4096];
    cJSON *event;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\"}"), "success");
    ck_assert(lend(&s, newest(&s), &error));
    service_settle(&s);
    json_open(&payload, '{');
    json_close(&payload, '}');
    events_publish(&s.services.events, "join.added", &payload, NULL);
    json_clear(&payload);
    service_settle(&s);
    ck_assert(events_wait(&s.services.events, &newest(&s)->subscription->subscriber));
    ck_assert_uint_eq(read_client(&s, 0, text, sizeof text), 2);
    ck_assert_ptr_null(strstr(text, "event"));
    expect_charged(&s, 0);
    event = client_line(&s, 0, NULL);
    ck_assert_ptr_nonnull(event);
    cJSON_Delete(event);
    service_end(&s);
}
END_TEST

START_TEST(who_never_reads_them_is_hung_up_on)
{
    struct service s;
    struct error error;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    ck_assert(lend(&s, newest(&s), &error));
    service_settle(&s);
    for (unsigned i = 0; i <= s.services.users.limits.reply_seconds; i++) {
        ck_assert_uint_eq(s.services.sessions.count, 1);
        sessions_tick(&s.services);
    }
    ck_assert_uint_eq(s.services.sessions.count, 0);
    ck_assert_uint_eq(s.services.sessions.ended[WAIT_READER], 1);
    service_end(&s);
}
END_TEST

/* The kernel charges us until the client reads or closes, however our end fares. */
START_TEST(an_unread_descriptor_is_charged_behind_the_end_of_its_session)
{
    struct service s;
    struct error error;
    char text[4096];
    int before;

    service_begin(&s, "a b");
    before = count_descriptors();
    client_connect_as(&s, 0, 1000);
    ck_assert(lend(&s, newest(&s), &error));
    service_settle(&s);
    session_close(newest(&s));
    service_settle(&s);
    ck_assert_uint_eq(s.services.sessions.count, 0);
    ck_assert_uint_eq(s.services.users.sent.used, 2);
    ck_assert_uint_eq(s.services.users.connections.used, 1);

    if (_i == 0) {
        ck_assert_uint_eq(read_client(&s, 0, text, sizeof text), 2);
        expect_charged(&s, 0);
        ck_assert_int_eq(recv(s.clients[0], text, sizeof text, 0), 0);
    }
    if (_i < 2)
        client_close(&s, 0);
    if (_i < 2) {
        expect_charged(&s, 0);
        ck_assert_uint_eq(s.services.users.connections.used, 0);
        forget_users(&s);
        ck_assert_uint_eq(s.services.users.pools.accounts.count, 0);
        expect_descriptors(&s, before);
    }
    service_end(&s); /* also where the client neither reads nor closes */
}
END_TEST

START_TEST(what_was_not_sent_is_closed)
{
    struct service s;
    struct session *session;
    struct error error;
    int before, pair[2];

    service_begin(&s, "a b");
    before = count_descriptors();
    client_connect(&s, 0);
    session = newest(&s);

    struct call call = make_call(&s, session);

    ck_assert(session_reserve_fds(session, "left right", &error));
    ck_assert_uint_eq(s.services.users.sent.used, 2);
    if (_i > 0) {
        ck_assert_int_eq(pipe(pair), 0);
        reply_fd(&call, "left", pair[0]);
        reply_fd(&call, "right", pair[1]);
    }
    switch (_i) {
    case 0: /* the action lends nothing, this time */
        reply_success(&call, "Nothing.");
        break;
    case 1: /* it fails after all */
        error_set(&error, ERROR_INTERNAL, NULL, "No.");
        reply_error(&call, &error);
        break;
    case 3: /* it is too large after all */
        reply_success(&call, "Lent.");
        session->out.failed = true;
        session_answered(session, 0);
        expect(client_line(&s, 0, NULL), "no-memory");
        break;
    case 2: /* the reply is written, and its client is gone */
        reply_success(&call, "Lent.");
        session_close(session);
        break;
    }
    if (_i < 2)
        session_settle_fds(session);
    ck_assert_uint_eq(s.services.users.sent.used, 0);
    client_close(&s, 0);
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

START_TEST(there_is_a_budget)
{
    struct service s;
    struct error error;

    service_begin(&s, "a b");
    /* Two for a user; one reply is always allowed. */
    pool_bound(&s.services.users.sent, &(struct pool_bounds){8, 2, 0, 0});
    for (int n = 0; n < 3; n++) {
        client_connect_as(&s, n, 1000 + (uid_t)n);
        ck_assert(lend(&s, newest(&s), &error));
        service_settle(&s);
    }
    client_connect_as(&s, 3, 1000);
    ck_assert(!lend(&s, newest(&s), &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_ptr_nonnull(
        strstr(error.message, "User 1000 has 2 descriptors that were sent and not read"));
    client_close(&s, 3);
    service_settle(&s);

    s.services.users.sent.bounds.size = 7;
    client_connect_as(&s, 3, 1009);
    ck_assert(!lend(&s, newest(&s), &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "All users together have 6 descriptors"));
    client_close(&s, 0);
    expect_charged(&s, 4);
    ck_assert(lend(&s, newest(&s), &error));
    service_end(&s);
}
END_TEST

/* --- Requests ------------------------------------------------------------------------------ */

static void say_with(struct service *s, int n, const char *text, size_t count)
{
    int fds[FDPASS_MAX], any = socket(AF_UNIX, SOCK_STREAM, 0);

    for (size_t i = 0; i < count; i++)
        fds[i] = any;
    ck_assert_int_eq(fdpass_send_some(s->clients[n], text, strlen(text), fds, count),
                     (ssize_t)strlen(text));
    close(any);
}

/* Texts that come one after the other with so many descriptors; and the replies to all. */
static const struct {
    struct {
        const char *text;
        size_t count;
    } parts[3];
    const char *replies[3];
} refused[] = {
    {{{"{\"action\":\"PING\"}", 1}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\"}\n", FDPASS_MAX}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\",\"fds\":[]}", 1}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\",\"fds\":[\"socket\"]}", 1}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\",\"fds\":[\"socket\"]}", 0}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\",\"fds\":1}", 0}}, {"invalid-descriptor"}},
    {{{"{\"action\":\"PING\",\"fds\":[]}", 0}}, {"success"}},
    {{{"{\"action\":\"NOTHING\"}", 9}}, {"unknown-action"}},
    /* The others are served. */
    {{{"{\"action\":\"PING\"}", 0}, {"{\"action\":\"PING\"}", 2}, {"{\"action\":\"PING\"}", 0}},
     {"success", "invalid-descriptor", "success"}},
    /* In the middle of a request, twice in one, and between two. */
    {{{"{\"action\":", 0}, {"\"PING\"", 3}, {"}", 0}}, {"invalid-descriptor"}},
    {{{"{\"action\":", 3}, {"\"PING\"}", 3}, {"{\"action\":\"PING\"}", 0}},
     {"invalid-descriptor", "success"}},
    {{{"\n", 3}, {"{\"action\":\"PING\"}", 0}, {"{\"action\":\"PING\"}", 0}},
     {"invalid-descriptor", "success"}},
};

enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(descriptors_that_no_action_takes_are_refused)
{
    struct service s;
    int before;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    before = count_descriptors();
    for (int i = 0; i < 3 && refused[_i].parts[i].text; i++) {
        say_with(&s, 0, refused[_i].parts[i].text, refused[_i].parts[i].count);
        if (strlen(refused[_i].parts[1].text ? refused[_i].parts[1].text : "") < 12)
            service_settle(&s); /* else all of them in one turn */
    }
    for (int i = 0; i < 3 && refused[_i].replies[i]; i++)
        expect(client_line(&s, 0, NULL), refused[_i].replies[i]);
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

/* Where one may come, the padding of its room has place for another. */
START_TEST(a_message_brings_one_descriptor_and_no_more)
{
    int pair[2], fds[2], fd, before;
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    before = count_descriptors();
    fds[0] = fds[1] = pair[0];
    ck_assert_int_eq(fdpass_send_some(pair[0], "x", 1, fds, 2), 1);
    ck_assert_int_eq(fdpass_receive(pair[1], &byte, 1, &fd), 1);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(count_descriptors(), before);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(descriptors_end_with_their_session)
{
    struct service s;
    int before;

    service_begin(&s, "a b");
    before = count_descriptors();
    client_connect(&s, 0);
    say_with(&s, 0, "{\"action\":", 5);
    service_settle(&s);
    ck_assert_int_eq(count_descriptors(), before + 2 + 5);
    client_close(&s, 0);
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

/* Who has as many as he may, as if the closer did not go on. Only what brings more waits. */
START_TEST(descriptors_wait_where_their_user_has_sent_too_many)
{
    struct service s;
    struct account *user;
    int before;

    service_begin(&s, "a b");
    for (int n = 0; n < 4; n++)
        client_connect_as(&s, n, n < 2 ? 1000 : 1000 + (uid_t)n);
    user = newest(&s)->user; /* of the last one */
    if (_i == 0)
        user = LIST_NEXT(LIST_NEXT(newest(&s), in_sessions), in_sessions)->user;
    before = count_descriptors();
    users_receive(&s.services.users, user, _i == 0 ? RECEIVED_PER_USER : 300);
    say_with(&s, 0, "{\"action\":\"PING\"}", 3);
    service_settle(&s);
    ck_assert_uint_eq(s.services.requests, 0);
    ck_assert_int_eq(count_descriptors(), before);
    for (int n = 1; n < 3; n++) /* served, by the policy */
        expect(client_ask(&s, n, "{\"action\":\"PING\"}"), "not-allowed");
    if (_i == 0)
        say_with(&s, 3, "{\"action\":\"PING\"}", 3);
    if (_i == 0)
        expect(client_line(&s, 3, NULL), "invalid-descriptor");
    for (unsigned i = 0; i < (_i == 0 ? RECEIVED_PER_USER : 300); i++)
        users_have_closed(&s.services.users, user);
    received_note_closed(&s.services);
    expect(client_line(&s, 0, NULL), "invalid-descriptor");
    expect_descriptors(&s, before);
    for (int i = 0; i < 2000 && s.services.users.received.used > 0; i++)
        wait_a_moment(&s);
    ck_assert_uint_eq(s.services.users.received.used, 0);
    service_end(&s);
}
END_TEST

/* There is no room, and nothing is to be closed. */
START_TEST(descriptors_for_which_there_is_never_room_end_the_session)
{
    struct service s;

    service_begin(&s, "a b");
    s.services.users.received.bounds.size = FDPASS_MAX - 1;
    client_connect(&s, 0);
    say_with(&s, 0, "{\"action\":\"PING\"}", 1);
    service_settle(&s);
    ck_assert_uint_eq(s.services.sessions.count, 0);
    service_end(&s);
}
END_TEST

/* Where something was sent to it that is not received; by whichever thread it is closed. */
START_TEST(a_connection_counts_until_it_is_closed)
{
    struct service s;
    int before;

    service_begin(&s, "a b");
    before = count_descriptors();
    client_connect_as(&s, 0, 1000);
    if (_i > 0)
        client_say(&s, 0, "{\"action\":");
    if (_i > 1)
        say_with(&s, 0, "\"PING\"}", 3);
    if (_i == 3)
        s.services.users.limits.connections_per_user = 0;
    session_close(newest(&s));
    ck_assert_uint_eq(s.services.users.connections.used, _i == 2);
    ck_assert_uint_eq(s.services.users.received.used, _i == 3);
    client_close(&s, 0);
    for (int i = 0;
         i < 2000 && s.services.users.connections.used + s.services.users.received.used > 0; i++)
        wait_a_moment(&s);
    forget_users(&s);
    ck_assert_uint_eq(s.services.users.connections.used, 0);
    ck_assert_uint_eq(s.services.users.pools.accounts.count, 0);
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

/* Linux drops out-of-band data that is not received as such, with what came by it. */
START_TEST(descriptors_with_out_of_band_data_are_received)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    char byte = '{';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    memcpy(CMSG_DATA(&control.header), &s.clients[0], sizeof(int));
    if (sendmsg(s.clients[0], &message, MSG_OOB) == 1) { /* else this kernel has none */
        client_say(&s, 0, "\"action\":\"PING\"}");
        expect(client_line(&s, 0, NULL), "invalid-descriptor");
    }
    service_end(&s);
}
END_TEST

/* What an action does whose row takes them. */
START_TEST(an_action_takes_the_descriptors_of_its_request)
{
    struct service s;
    struct session *session;
    struct call call;
    struct error error;
    const char *bytes;
    size_t length;
    int before, fd;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    session = newest(&s);
    call = (struct call){.session = session};
    before = count_descriptors();
    say_with(&s, 0, "{\"action\":", 2);
    ck_assert_int_eq(intake_read(&session->intake, session->fd), 1);
    say_with(&s, 0, "\"PING\"}", _i == 2); /* once more is wrong */
    ck_assert_int_eq(intake_read(&session->intake, session->fd), 1);
    ck_assert_int_eq(intake_next(&session->intake, &bytes, &length), INTAKE_REQUEST);
    ck_assert(session_take_fds(session, _i ? "socket netns" : "socket socket", 2, &error) ==
              (_i == 0));
    ck_assert_int_eq(call_take_fd(&call, 2), -1);
    fd = call_take_fd(&call, 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), _i == 2 ? -1 : FD_CLOEXEC);
    ck_assert_int_eq(call_take_fd(&call, 1), -1);
    if (fd >= 0)
        close(fd);
    session_settle_fds(session); /* the other one was left */
    intake_compact(&session->intake);
    expect_descriptors(&s, before);
    service_end(&s);
}
END_TEST

START_TEST(the_type_of_a_descriptor_is_checked)
{
    struct error error;
    int pair[2], files[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(pipe(files), 0);
    ck_assert(request_fds_check("", files, &error));
    ck_assert(request_fds_check("socket", pair, &error));
    ck_assert(request_fds_check("socket socket", pair, &error));
    ck_assert(!request_fds_check("socket", files, &error));
    ck_assert_int_eq(error.code, ERROR_INVALID_DESCRIPTOR);
    ck_assert_str_eq(error.message, "Invalid argument: the descriptor 'socket' is no socket.");
    ck_assert(!request_fds_check("socket file", pair, &error));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, descriptors_leave_with_the_first_byte_of_their_reply);
    tcase_add_test(tests, no_other_byte_carries_descriptors);
    tcase_add_test(tests, nothing_more_is_taken_until_they_are_read);
    tcase_add_test(tests, no_event_comes_until_they_are_read);
    tcase_add_test(tests, who_never_reads_them_is_hung_up_on);
    tcase_add_loop_test(tests, an_unread_descriptor_is_charged_behind_the_end_of_its_session, 0, 3);
    tcase_add_loop_test(tests, what_was_not_sent_is_closed, 0, 4);
    tcase_add_test(tests, there_is_a_budget);
    tcase_add_loop_test(tests, descriptors_that_no_action_takes_are_refused, 0, REFUSED);
    tcase_add_test(tests, a_message_brings_one_descriptor_and_no_more);
    tcase_add_test(tests, descriptors_end_with_their_session);
    tcase_add_loop_test(tests, descriptors_wait_where_their_user_has_sent_too_many, 0, 2);
    tcase_add_test(tests, descriptors_for_which_there_is_never_room_end_the_session);
    tcase_add_loop_test(tests, a_connection_counts_until_it_is_closed, 0, 4);
    tcase_add_test(tests, descriptors_with_out_of_band_data_are_received);
    tcase_add_loop_test(tests, an_action_takes_the_descriptors_of_its_request, 0, 3);
    tcase_add_test(tests, the_type_of_a_descriptor_is_checked);
}

int main(void)
{
    return suite_run("session_fds", add_tests);
}
