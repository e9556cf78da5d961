/* A connection to the service in the link's loop. There is one while there are clients to tell of;
 * the service ends it where there are none for long. What is told does not pile up: while an answer
 * is due, nothing more is said, and a service that does not answer for long is left alone for a
 * while. */
#include "link_news.h"

#include "json.h"
#include "utf8.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    INTERVAL_MS = 1000,
    SOON_MS = 20,     /* a client has come: with it, those who come at the same time */
    BETWEEN_MS = 200, /* that is no more often than this */
    CONNECT_MS = 1,   /* how long a full queue of the service may hold us up */
    RETRY_MS = 1000,  /* after the first failure, then twice as long each time, up to: */
    RETRY_MOST_MS = 16000,
    REFUSED_MS = 30000, /* after the service said no */
    PATIENCE = 5,       /* intervals for an answer */
    DUE_MAX = 2 * LINK_TOLD_MAX,
    TEXT_MAX = 4096,
};

#define COUNTER_MAX UINT64_C(999999999999999)

struct connection {
    uv_poll_t poll; /* first: it is freed by its close callback */
    struct link_news *news;
    struct nb_client *client;
    bool refused; /* the service does not want to know */
};

struct link_news {
    struct link *link;
    const struct command_line *line;
    const char *tap;
    uv_timer_t timer;
    struct connection *connection; /* NULL: none */
    unsigned handles;              /* that are not closed */
    uint64_t try_at, told_at;      /* clock_ms of the next attempt, and of the last round */
    unsigned delay_ms;             /* of the next attempt */
    unsigned waited;               /* intervals, for an answer */
    unsigned count;                /* clients that this round has told of */
    struct {
        uint64_t since_ns, since_ms; /* of the link's clock; since 1970 */
    } begun[LINK_PORT_MAX + 1];
};

/* The loop's own: the link's stands still while no frame comes. */
static uint64_t clock_ms(const struct link_news *news)
{
    return uv_now(link_loop(news->link));
}

/* --- What is said -------------------------------------------------------------------------- */

/* Wall-clock time, once for each client: it would differ by a millisecond each time. */
static uint64_t since_of(struct link_news *news, const struct link_port *port)
{
    uint64_t age_ms = (uv_hrtime() - port->since_ns) / 1000000;
    struct timespec now;

    if (news->begun[port->number].since_ns != port->since_ns) {
        clock_gettime(CLOCK_REALTIME, &now);
        news->begun[port->number].since_ns = port->since_ns;
        news->begun[port->number].since_ms =
            (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - age_ms;
    }
    return news->begun[port->number].since_ms;
}

/* Names are what others chose: what is no UTF-8, or moves a cursor, is a '?'. */
static void add_label(struct json *json, const char *key, const char *text)
{
    char label[LABEL_LENGTH_MAX + 1];
    size_t used = 0;

    while (*text) {
        size_t length = utf8_sequence(text, strlen(text));
        bool control = (unsigned char)*text < 0x20 || *text == 0x7f ||
                       ((unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0);

        if (used + (length ? length : 1) > LABEL_LENGTH_MAX)
            break;
        if (length == 0 || control)
            label[used++] = '?';
        else
            memcpy(label + used, text, length), used += length;
        text += length ? length : 1;
    }
    label[used] = '\0';
    if (used)
        json_member_string(json, key, label);
}

static void add_counter(struct json *json, const char *key, uint64_t value)
{
    json_member_unsigned(json, key, value < COUNTER_MAX ? value : COUNTER_MAX);
}

static uint64_t refused_by_switch(const struct switch_counters *flow)
{
    uint64_t count = 0;

    for (enum switch_drop reason = SWITCH_NOT_DROPPED + 1; reason < SWITCH_DROP_COUNT; reason++)
        count += flow->drops[reason];
    return count;
}

static void add_counters(struct json *json, const struct link_port *port)
{
    const struct framing_counts *from = &port->from, *to = &port->to;

    add_counter(json, "rx_frames", from->frames);
    add_counter(json, "rx_bytes", from->bytes);
    add_counter(json, "rx_refused",
                from->zero + from->undersize + from->oversize + from->uncarried + from->invalid +
                    refused_by_switch(&port->flow));
    add_counter(json, "tx_frames", to->frames);
    add_counter(json, "tx_bytes", to->bytes);
    add_counter(json, "tx_dropped", to->dropped);
    add_counter(json, "pending", port->pending);
}

static void add_port(struct link_news *news, struct json *json, const struct link_port *port)
{
    json_member_string(json, "tap", news->tap);
    json_member_unsigned(json, "port", port->number);
    add_label(json, "name", port->name);
    add_label(json, "framing", port->framing);
    if (port->pid > 0) {
        json_member_unsigned(json, "pid", (uint64_t)port->pid);
        json_member_unsigned(json, "uid", port->uid);
    }
    add_counter(json, "since", since_of(news, port));
    add_counters(json, port);
}

/* --- The connection ------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = (struct connection *)handle;

    connection->news->handles--;
    free(connection);
}

static void disconnect(struct link_news *news, unsigned pause_ms)
{
    struct connection *connection = news->connection;

    news->connection = NULL;
    news->try_at = clock_ms(news) + pause_ms;
    uv_close((uv_handle_t *)&connection->poll, on_closed);
    nb_close(connection->client);
}

static unsigned next_delay(struct link_news *news)
{
    unsigned delay = news->delay_ms ? news->delay_ms : RETRY_MS;

    news->delay_ms = 2 * delay < RETRY_MOST_MS ? 2 * delay : RETRY_MOST_MS;
    return delay;
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Sends and receives what can be. */
static void dispatch(struct link_news *news)
{
    struct connection *connection = news->connection;
    int events = 0, result = nb_dispatch(connection->client);

    if (result < 0 || connection->refused) {
        disconnect(news, connection->refused ? REFUSED_MS : next_delay(news));
        return;
    }
    events |= nb_poll_events(connection->client) & POLLIN ? UV_READABLE : 0;
    events |= nb_poll_events(connection->client) & POLLOUT ? UV_WRITABLE : 0;
    uv_poll_start(&connection->poll, events, on_ready);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    dispatch(((struct connection *)poll)->news);
}

static void on_answer(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct connection *connection = context;
    const char *code = nb_reply_code(reply);

    (void)client;
    connection->news->waited = 0;
    connection->news->delay_ms = 0;
    /* More clients than the service keeps in mind are no reason to hide the others. */
    connection->refused |= code && strcmp(code, "limit") != 0;
}

static bool begin_connection(struct link_news *news)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return false;
    connection->news = news;
    if (nb_connect_within(&connection->client, news->line->socket, CONNECT_MS) < 0) {
        free(connection);
        return false;
    }
    if (uv_poll_init(link_loop(news->link), &connection->poll, nb_fd(connection->client)) < 0) {
        nb_close(connection->client);
        free(connection);
        return false;
    }
    uv_unref((uv_handle_t *)&connection->poll);
    news->handles++;
    news->connection = connection;
    return true;
}

static bool connect_again(struct link_news *news)
{
    uint64_t now = clock_ms(news);

    if (news->connection)
        return true;
    if (now < news->try_at)
        return false;
    news->waited = 0;
    if (begin_connection(news))
        return true;
    news->try_at = now + next_delay(news);
    return false;
}

/* --- Telling ------------------------------------------------------------------------------- */

static void submit(struct link_news *news, const struct link_port *port, const char *why)
{
    struct json json = {.limit = TEXT_MAX};

    json_open(&json, '{');
    json_member_string(&json, "action", "TELL_LINK");
    json_key(&json, "payload");
    json_open(&json, '{');
    add_port(news, &json, port);
    if (why)
        add_label(&json, "gone", why);
    json_close(&json, '}');
    json_close(&json, '}');
    if (!json.failed)
        nb_submit_text(news->connection->client, json.text, json.length, on_answer,
                       news->connection);
    json_clear(&json);
}

static void tell_port(const struct link_port *port, void *context)
{
    struct link_news *news = context;

    if (port->number == LINK_TAP || news->count == LINK_TOLD_MAX)
        return;
    if (!connect_again(news))
        return;
    news->count++;
    submit(news, port, NULL);
}

static void on_time(uv_timer_t *timer)
{
    struct link_news *news = timer->data;

    if (news->connection && nb_pending(news->connection->client) > 0) {
        if (++news->waited > PATIENCE)
            disconnect(news, next_delay(news));
        return;
    }
    news->told_at = clock_ms(news);
    news->count = 0;
    link_visit(news->link, tell_port, news);
    if (news->connection && news->count > 0)
        dispatch(news);
}

void link_news_attached(struct link_news *news)
{
    uint64_t now, at;

    if (!news)
        return;
    now = clock_ms(news);
    at = news->told_at + BETWEEN_MS;
    uv_timer_start(&news->timer, on_time, at > now + SOON_MS ? at - now : SOON_MS, INTERVAL_MS);
}

void link_news_detached(struct link_news *news, const struct link_port *port, const char *why)
{
    if (!news || !news->connection || nb_pending(news->connection->client) >= DUE_MAX)
        return;
    submit(news, port, why);
    dispatch(news);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct link_news *link_news_start(struct link *link, const struct command_line *line,
                                  const char *tap)
{
    struct link_news *news = calloc(1, sizeof *news);

    if (!news)
        return NULL;
    news->link = link;
    news->line = line;
    news->tap = tap;
    if (uv_timer_init(link_loop(link), &news->timer) < 0) {
        free(news);
        return NULL;
    }
    news->timer.data = news;
    news->handles = 1;
    uv_unref((uv_handle_t *)&news->timer);
    uv_timer_start(&news->timer, on_time, SOON_MS, INTERVAL_MS);
    return news;
}

static void on_timer_closed(uv_handle_t *handle)
{
    ((struct link_news *)handle->data)->handles--;
}

void link_news_end(struct link_news **place)
{
    struct link_news *news = *place;

    if (!news)
        return;
    *place = NULL;
    if (news->connection)
        disconnect(news, 0);
    uv_close((uv_handle_t *)&news->timer, on_timer_closed);
    while (news->handles > 0)
        uv_run(link_loop(news->link), UV_RUN_NOWAIT);
    free(news);
}
