/* What a relay tells the service, which the test plays at its socket: clients as they come, stay
 * and go, and how long the relay leaves a service alone that does not want to know. */
#include "link_news.h"

#include "bounds.h"
#include "suite.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TOLD    "{\"status\":\"success\",\"message\":\"Told.\"}\n"
#define FULL    "{\"status\":\"error\",\"code\":\"limit\",\"message\":\"Too many.\"}\n"
#define REFUSED "{\"status\":\"error\",\"code\":\"not-found\",\"message\":\"You have no tap.\"}\n"

struct scene {
    char folder[32];
    struct sockaddr_un address;
    int listener, service; /* service: -1 while there is no connection */
    struct command_line line;
    struct link *link;
    struct link_news *news;
    int clients[LINK_TOLD_MAX + 8];
    unsigned client_count;
    char text[65536]; /* that came, and no line of it was taken */
    size_t length;
    bool ended; /* the relay has closed the connection */
};

/* The relay's loop turns once; for a while, if there is nothing to do. */
static void turn(struct scene *s)
{
    struct pollfd none = {.fd = -1};

    uv_run(link_loop(s->link), UV_RUN_NOWAIT);
    poll(&none, 1, 1);
}

/* --- What the link tells ------------------------------------------------------------------- */

static void on_attached(struct link *link, const struct link_port *port, void *context)
{
    (void)link;
    (void)port;
    link_news_attached(((struct scene *)context)->news);
}

static void on_detached(struct link *link, const struct link_port *port, const char *why,
                        void *context)
{
    (void)link;
    link_news_detached(((struct scene *)context)->news, port, why);
}

static const struct link_events events = {.attached = on_attached, .detached = on_detached};

/* --- The scene ----------------------------------------------------------------------------- */

static void listen_again(struct scene *s)
{
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(s->listener, (const struct sockaddr *)&s->address, sizeof s->address), 0);
    ck_assert_int_eq(listen(s->listener, 4), 0);
}

static void begin(struct scene *s)
{
    struct link_config config = {.events = &events, .context = s, .clients = LINK_CLIENTS_MAX};

    *s = (struct scene){.folder = "/tmp/netbroker-XXXXXX", .service = -1, .listener = -1};
    s->address.sun_family = AF_UNIX;
    ck_assert_ptr_nonnull(mkdtemp(s->folder));
    snprintf(s->address.sun_path, sizeof s->address.sun_path, "%s/socket", s->folder);
    s->line.socket = s->address.sun_path;
    ck_assert_int_eq(link_new(&s->link, &config), 0);
    s->news = link_news_start(s->link, &s->line, "nb-7");
    ck_assert_ptr_nonnull(s->news);
}

static void end(struct scene *s)
{
    link_news_end(&s->news);
    link_free(s->link);
    for (unsigned i = 0; i < s->client_count; i++)
        close(s->clients[i]);
    if (s->service >= 0)
        close(s->service);
    if (s->listener >= 0)
        close(s->listener);
    unlink(s->address.sun_path);
    rmdir(s->folder);
}

static void add_client(struct scene *s, const char *name)
{
    static const struct link_options options = {.framing = FRAMING_MESSAGE};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(link_adopt(s->link, pair[1], name, &options), 0);
    s->clients[s->client_count++] = pair[0];
}

static void accept_news(struct scene *s)
{
    while ((s->service = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        turn(s);
    }
    s->length = 0;
    s->ended = false;
}

static void receive(struct scene *s)
{
    ssize_t n = recv(s->service, s->text + s->length, sizeof s->text - s->length, 0);

    s->ended |= n == 0 || (n < 0 && errno == ECONNRESET);
    s->length += n > 0 ? (size_t)n : 0;
}

/* The next request's payload, the caller's. */
static cJSON *take_request(struct scene *s)
{
    cJSON *request, *payload;
    char *end;

    while (!(end = memchr(s->text, '\n', s->length))) {
        ck_assert(!s->ended);
        turn(s);
        receive(s);
    }
    request = cJSON_ParseWithLength(s->text, (size_t)(end - s->text));
    s->length -= (size_t)(end + 1 - s->text);
    memmove(s->text, end + 1, s->length);
    ck_assert_str_eq(cJSON_GetObjectItem(request, "action")->valuestring, "TELL_LINK");
    payload = cJSON_DetachItemFromObject(request, "payload");
    cJSON_Delete(request);
    ck_assert_str_eq(cJSON_GetObjectItem(payload, "tap")->valuestring, "nb-7");
    return payload;
}

static void answer(struct scene *s, const char *line)
{
    ck_assert_int_eq(send(s->service, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

/* A text or number of the payload, as text. Valid until the next call. */
static const char *member(const cJSON *payload, const char *key)
{
    static char text[256];
    const cJSON *value = cJSON_GetObjectItem(payload, key);

    if (!value)
        return "none";
    if (cJSON_IsString(value))
        return value->valuestring;
    snprintf(text, sizeof text, "%.0f", cJSON_GetNumberValue(value));
    return text;
}

/* --- Clients ------------------------------------------------------------------------------- */

START_TEST(a_client_is_told_of_until_it_goes)
{
    unsigned char frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8};
    struct scene s;
    cJSON *first, *next;

    begin(&s);
    listen_again(&s);
    add_client(&s, "/tmp/dolphin-tap");
    accept_news(&s);
    first = take_request(&s);
    ck_assert_str_eq(member(first, "port"), "1");
    ck_assert_str_eq(member(first, "name"), "/tmp/dolphin-tap");
    ck_assert_str_eq(member(first, "framing"), "message");
    ck_assert_str_eq(member(first, "rx_frames"), "0");
    ck_assert_str_eq(member(first, "gone"), "none");
    answer(&s, TOLD);

    ck_assert_int_eq(send(s.clients[0], frame, sizeof frame, 0), sizeof frame);
    next = take_request(&s);
    ck_assert_str_eq(member(next, "rx_frames"), "1");
    ck_assert_str_eq(member(next, "rx_bytes"), "60");
    ck_assert(cJSON_Compare(cJSON_GetObjectItem(first, "since"), cJSON_GetObjectItem(next, "since"),
                            true));
    answer(&s, TOLD);
    cJSON_Delete(next);

    close(s.clients[--s.client_count]);
    while (strcmp(member(next = take_request(&s), "gone"), "none") == 0) {
        cJSON_Delete(next); /* of a round that came before */
        answer(&s, TOLD);
    }
    ck_assert_str_eq(member(next, "port"), "1");
    cJSON_Delete(next);
    cJSON_Delete(first);
    end(&s);
}
END_TEST

static void must_be_called(struct scene *s, const char *name)
{
    cJSON *payload = take_request(s);

    ck_assert_str_eq(member(payload, "name"), name);
    cJSON_Delete(payload);
}

/* Names are what others chose; the service takes so many bytes of UTF-8. */
START_TEST(a_name_is_harmless_and_short)
{
    static const struct {
        const char *name, *told;
    } names[] = {
        {"/tmp/\x1b[2J", "/tmp/?[2J"},
        {"a\xff\x80z", "a??z"},
        {"a\xc2\x9bz", "a?z"}, /* CSI as one character */
        {"a\x7fz", "a?z"},
        {"\xc3\xa9", "\xc3\xa9"},
    };
    char name[LABEL_LENGTH_MAX + 2];
    struct scene s;

    begin(&s);
    listen_again(&s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_client(&s, names[i].name);
    memset(name, 'a', LABEL_LENGTH_MAX - 1);
    strcpy(name + LABEL_LENGTH_MAX - 1, "\xc3\xa9"); /* the link keeps half of it */
    add_client(&s, name);
    accept_news(&s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        must_be_called(&s, names[i].told);
    strcpy(name + LABEL_LENGTH_MAX - 1, "?");
    must_be_called(&s, name);
    end(&s);
}
END_TEST

/* --- The service --------------------------------------------------------------------------- */

/* The others are told of, and no more of them than the service keeps in mind. */
START_TEST(more_clients_than_the_service_takes)
{
    struct scene s;

    begin(&s);
    listen_again(&s);
    for (unsigned i = 0; i < LINK_TOLD_MAX + 8; i++)
        add_client(&s, "a");
    accept_news(&s);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < LINK_TOLD_MAX; i++) {
            cJSON *payload = take_request(&s);

            ck_assert_str_eq(member(payload, "rx_frames"), "0");
            ck_assert_int_eq(atoi(member(payload, "port")), i + 1);
            cJSON_Delete(payload);
            answer(&s, i % 2 ? FULL : TOLD);
        }
    ck_assert(!s.ended);
    end(&s);
}
END_TEST

START_TEST(a_service_that_refuses_is_left)
{
    struct scene s;

    begin(&s);
    listen_again(&s);
    add_client(&s, "a");
    accept_news(&s);
    cJSON_Delete(take_request(&s));
    answer(&s, REFUSED);
    while (!s.ended) {
        turn(&s);
        receive(&s);
    }
    for (int i = 0; i < 2500; i++) /* two rounds and more */
        turn(&s);
    ck_assert_int_lt(accept(s.listener, NULL, NULL), 0);
    ck_assert_int_eq(errno, EAGAIN);
    end(&s);
}
END_TEST

/* Nothing piles up: it has one round, and is left after five without an answer. */
START_TEST(a_service_that_does_not_answer_is_left)
{
    struct scene s;

    begin(&s);
    listen_again(&s);
    add_client(&s, "a");
    accept_news(&s);
    cJSON_Delete(take_request(&s));
    while (!s.ended) {
        turn(&s);
        receive(&s);
    }
    ck_assert_uint_eq(s.length, 0);
    close(s.service);
    accept_news(&s); /* and tried again */
    cJSON_Delete(take_request(&s));
    end(&s);
}
END_TEST

START_TEST(a_service_that_comes_later_is_told)
{
    struct scene s;

    begin(&s);
    add_client(&s, "a");
    for (int i = 0; i < 300; i++) /* it has tried */
        turn(&s);
    listen_again(&s);
    accept_news(&s);
    cJSON_Delete(take_request(&s));
    close(s.service);
    accept_news(&s); /* as after a restart */
    cJSON_Delete(take_request(&s));
    end(&s);
}
END_TEST

START_TEST(nothing_is_told_without_news)
{
    struct link_news *none = NULL;
    struct scene s;

    link_news_attached(NULL);
    link_news_detached(NULL, NULL, "");
    link_news_end(&none);
    begin(&s);
    listen_again(&s);
    for (int i = 0; i < 100; i++) /* without a client there is no connection */
        turn(&s);
    ck_assert_int_lt(accept(s.listener, NULL, NULL), 0);
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_client_is_told_of_until_it_goes);
    tcase_add_test(tests, a_name_is_harmless_and_short);
    tcase_add_test(tests, more_clients_than_the_service_takes);
    tcase_add_test(tests, a_service_that_refuses_is_left);
    tcase_add_test(tests, a_service_that_does_not_answer_is_left);
    tcase_add_test(tests, a_service_that_comes_later_is_told);
    tcase_add_test(tests, nothing_is_told_without_news);
}

int main(void)
{
    return suite_run("link_news", add_tests);
}
