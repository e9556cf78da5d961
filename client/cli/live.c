/* --watch: asks again and again, and shows what the counters grow by.
 *
 * Each reading is a connection of its own: the service ends those that ask nothing for a while, and
 * one that begins anew in between is nothing that a reader must care about. A terminal shows the
 * last reading; elsewhere one follows the other. */
#include "cli.h"
#include "rates.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    KEYS_MAX = 5,
    KEY_TEXT_MAX = 512,
    LINES_AROUND = 3, /* the line above the table, the one behind it, and that of the cursor */
};

/* What can be watched: each thing of a list has counters, and some of its members name it. */
static const struct subject {
    enum action action;
    const char *list;
    const char *keys[KEYS_MAX + 1];
    const char *counters[RATE_COUNTERS_MAX + 1];
    void (*print)(const struct nb_value *list, struct live *live);
} subjects[] = {
    {ACTION_SHOW_MFC,
     "mfc_rules",
     {"source", "group", "iif", "table", NULL},
     {"packets", "bytes", NULL},
     print_route_list},
    {ACTION_SHOW_VIF,
     "vifs",
     {"family", "table", "name", "ifindex", "vifi", NULL},
     {"packets_in", "bytes_in", "packets_out", "bytes_out", NULL},
     print_vif_list},
};

struct live {
    const struct subject *subject;
    struct rates *rates; /* owned */
    size_t lines;        /* of a terminal; 0: this is none */
};

/* --- Rates --------------------------------------------------------------------------------- */

static void key_of(const struct subject *subject, const struct nb_value *thing, char *text)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; subject->keys[i] && used < KEY_TEXT_MAX; i++) {
        const struct nb_value *member = nb_value_get(thing, subject->keys[i]);
        int length =
            nb_value_string(member)[0]
                ? snprintf(text + used, KEY_TEXT_MAX - used, "%s\n", nb_value_string(member))
                : snprintf(text + used, KEY_TEXT_MAX - used, "%lld\n",
                           (long long)nb_value_integer(member));

        used += (size_t)length;
    }
}

static size_t counter_count(const struct subject *subject)
{
    size_t count = 0;

    while (subject->counters[count])
        count++;
    return count;
}

static bool take_rates(struct live *live, const struct nb_value *thing, double *ret)
{
    const struct subject *subject = live->subject;
    uint64_t counters[RATE_COUNTERS_MAX];
    size_t count = counter_count(subject);
    char key[KEY_TEXT_MAX];

    key_of(subject, thing, key);
    for (size_t i = 0; i < count; i++)
        counters[i] = (uint64_t)nb_value_integer(nb_value_get(thing, subject->counters[i]));
    return rates_take(live->rates, key, counters, count, ret);
}

void live_add_rates(struct live *live, struct columns *columns, const struct nb_value *thing)
{
    double rates[RATE_COUNTERS_MAX];
    bool known = live && take_rates(live, thing, rates);

    for (size_t i = 0; live && i < counter_count(live->subject); i++)
        if (known)
            columns_add(columns, rates[i] < 10000 ? "%.1f" : "%.0f", rates[i]);
        else
            columns_add(columns, "-");
}

size_t live_lines(const struct live *live)
{
    return live ? live->lines : 0;
}

/* --- For programs -------------------------------------------------------------------------- */

/* The thing as the service tells of it, and behind that its rates. */
static void print_thing(struct live *live, const struct nb_value *thing)
{
    char *text = safe_json(thing);
    size_t length = text ? strlen(text) : 0;
    double rates[RATE_COUNTERS_MAX];
    bool known = take_rates(live, thing, rates);

    printf("%.*s", length ? (int)length - 1 : 0, text ? text : "");
    for (size_t i = 0; length && live->subject->counters[i]; i++)
        if (known)
            printf(",\"%s_per_second\":%.3f", live->subject->counters[i], rates[i]);
        else
            printf(",\"%s_per_second\":null", live->subject->counters[i]);
    fputs(length ? "}" : "null", stdout);
    free(text);
}

static void print_json(struct live *live, const struct nb_value *list)
{
    const struct nb_value *thing = nb_value_first(list);

    printf("{\"%s\":[", live->subject->list);
    for (; thing; thing = nb_value_next(thing)) {
        print_thing(live, thing);
        if (nb_value_next(thing))
            putchar(',');
    }
    puts("]}");
}

/* --- Readings ------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void begin_screen(struct live *live, const struct command_line *line)
{
    struct winsize size = {0};
    time_t now = time(NULL);
    struct tm date;
    char clock[16];

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    live->lines = size.ws_row > LINES_AROUND + 1 ? size.ws_row - LINES_AROUND : 1;
    localtime_r(&now, &date);
    strftime(clock, sizeof clock, "%H:%M:%S", &date);
    printf("\033[H\033[J%s, every %g s, at %s\n", line->command.row->cli, line->interval, clock);
}

static void show(struct live *live, const struct command_line *line, const struct nb_reply *reply,
                 bool first)
{
    const struct nb_value *list = nb_value_get(nb_reply_payload(reply), live->subject->list);

    if (line->json) {
        print_json(live, list);
        return;
    }
    if (isatty(STDOUT_FILENO))
        begin_screen(live, line);
    else if (!first)
        putchar('\n');
    live->subject->print(list, live);
}

/* Returns an exit status, or a negative errno of the connection. */
static int read_once(struct live *live, const struct command_line *line,
                     const struct nb_request *request, bool first)
{
    struct nb_client *client;
    struct nb_reply *reply;
    int result = connect_service(line, &client);
    uint64_t before = now_ns();

    if (result < 0)
        return result;
    if (!first)
        nb_set_timeout(client, 0); /* it has answered before, and whoever watches sees the time */
    result = nb_call(client, request, &reply);
    nb_close(client);
    if (result < 0)
        return result;
    rates_begin(live->rates, before + (now_ns() - before) / 2);
    if (nb_reply_code(reply))
        result = explain_refusal(line, reply);
    else
        show(live, line, reply, first);
    nb_reply_free(reply);
    if (fflush(stdout) != 0)
        result = EXIT_REFUSED; /* nobody reads any more */
    return result;
}

static void sleep_until(uint64_t time_ns)
{
    struct timespec time = {
        .tv_sec = (time_t)(time_ns / 1000000000),
        .tv_nsec = (long)(time_ns % 1000000000),
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

/* The terminal is as it was: there is nothing to put in order. */
static void on_end(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

static bool is_lost(int result)
{
    return result == -EPIPE || result == -ECONNRESET;
}

static int read_on(struct live *live, const struct command_line *line,
                   const struct nb_request *request)
{
    uint64_t interval = (uint64_t)(line->interval * 1e9), next = now_ns();
    int result = read_once(live, line, request, true);

    while (result == EXIT_DONE) {
        next += interval;
        if (next < now_ns())
            next = now_ns(); /* a reading took longer than the interval */
        sleep_until(next);
        result = read_once(live, line, request, false);
        if (is_lost(result))
            result = EXIT_DONE; /* the service begins anew; the next connection waits for it */
    }
    return result;
}

int live_run(const struct command_line *line, const struct nb_request *request)
{
    struct sigaction ending = {.sa_handler = on_end};
    struct live live = {.subject = subjects, .rates = rates_new()};
    int result;

    if (!live.rates)
        return explain_no_memory(line);
    while (live.subject->action != line->command.action)
        live.subject++;
    sigaction(SIGINT, &ending, NULL);
    sigaction(SIGTERM, &ending, NULL);
    result = read_on(&live, line, request);
    rates_free(live.rates);
    return result < 0 ? explain_unreachable(line, result) : result;
}
