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
    KEY_TEXT_MAX = 512,
    LINES_AROUND = 3, /* the line above the table, the one behind it, and that of the cursor */
};

struct live {
    const struct listing *listing;
    struct rates *rates; /* owned */
    size_t lines;        /* of a terminal; 0: this is none */
};

/* --- Rates --------------------------------------------------------------------------------- */

static void key_of(const struct listing *listing, const struct nb_value *item, char *text)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; listing->identity[i] && used < KEY_TEXT_MAX; i++) {
        const struct nb_value *member = nb_value_get(item, listing->identity[i]);
        int length =
            nb_value_string(member)[0]
                ? snprintf(text + used, KEY_TEXT_MAX - used, "%s\n", nb_value_string(member))
                : snprintf(text + used, KEY_TEXT_MAX - used, "%lld\n",
                           (long long)nb_value_integer(member));

        used += (size_t)length;
    }
}

static bool take_rates(struct live *live, const struct nb_value *item, double *ret)
{
    const struct column *counter;
    uint64_t counters[RATE_COUNTERS_MAX];
    size_t count = 0;
    char key[KEY_TEXT_MAX];

    key_of(live->listing, item, key);
    for (; (counter = listing_counter(live->listing, count)); count++)
        counters[count] = (uint64_t)member_number(item, counter->key);
    return rates_take(live->rates, key, counters, count, ret);
}

void live_add_rates(struct live *live, struct columns *columns, const struct nb_value *item)
{
    double rates[RATE_COUNTERS_MAX];
    bool known = take_rates(live, item, rates);

    for (size_t i = 0; listing_counter(live->listing, i); i++)
        if (known)
            columns_add(columns, rates[i] < 10000 ? "%.1f" : "%.0f", rates[i]);
        else
            columns_add(columns, "-");
}

size_t live_lines(const struct live *live)
{
    return live->lines;
}

/* --- For programs -------------------------------------------------------------------------- */

/* The item as the service tells of it, and behind that its rates. */
static void print_item(struct live *live, const struct nb_value *item)
{
    const struct column *counter;
    char *text = safe_json(item);
    size_t length = text ? strlen(text) : 0;
    double rates[RATE_COUNTERS_MAX];
    bool known = take_rates(live, item, rates);

    printf("%.*s", length ? (int)length - 1 : 0, text ? text : "");
    for (size_t i = 0; length && (counter = listing_counter(live->listing, i)); i++)
        if (known)
            printf(",\"%s_per_second\":%.3f", counter->key, rates[i]);
        else
            printf(",\"%s_per_second\":null", counter->key);
    fputs(length ? "}" : "null", stdout);
    free(text);
}

static void print_json(struct live *live, const struct nb_value *payload)
{
    const struct nb_value *item = nb_value_first(nb_value_get(payload, live->listing->list));

    printf("{\"%s\":[", live->listing->list);
    for (; item; item = nb_value_next(item)) {
        print_item(live, item);
        if (nb_value_next(item))
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
    if (line->json) {
        print_json(live, nb_reply_payload(reply));
        return;
    }
    if (isatty(STDOUT_FILENO))
        begin_screen(live, line);
    else if (!first)
        putchar('\n');
    print_list(live->listing, nb_reply_payload(reply), live);
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
    struct live live = {.listing = listing_of(line->command.action), .rates = rates_new()};
    int result;

    if (!live.rates)
        return explain_no_memory(line);
    sigaction(SIGINT, &ending, NULL);
    sigaction(SIGTERM, &ending, NULL);
    result = read_on(&live, line, request);
    rates_free(live.rates);
    return result < 0 ? explain_unreachable(line, result) : result;
}
