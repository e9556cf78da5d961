/* Frames out of a file into the ring of OPEN_INJECT:
 *
 *     file ──► supply ──► pace ──► ring ──► the service, which sends them at their times
 *
 * This process is not on time itself, and need not be: it writes ahead as far as the ring goes. A
 * file that can be read twice is read once before, so that the request asks for what is in it, and
 * a file that is wrong is refused before anything was sent. */
#include "inject_narrow.h"
#include "inject_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Signals ------------------------------------------------------------------------------- */

/* The ends of a pipe. A second signal ends the process, whatever it waits for. */
static int bell[2] = {-1, -1};

static void ring(int unused)
{
    int error = errno;
    ssize_t written = write(bell[1], "", 1);

    (void)unused;
    (void)written;
    errno = error;
}

static bool take_signals(void)
{
    struct sigaction action = {.sa_handler = ring, .sa_flags = (int)SA_RESETHAND};

    if (pipe(bell) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(bell[i], F_SETFL, O_NONBLOCK);
        fcntl(bell[i], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return true;
}

/* --- Options ------------------------------------------------------------------------------- */

static bool take_decimal(const struct command_line *line, const char *option, unsigned places,
                         uint64_t low, uint64_t *ret)
{
    const char *text = command_line_value(line, option, 0);

    if (!text || (pace_parse(text, places, ret) && *ret >= low))
        return true;
    if (places == 0)
        say_usage(line, line->command.row->cli, option,
                  "--%s takes a number from %" PRIu64 " on%s, and not '%s'.", option, low,
                  number_hint(text), text);
    else
        say_usage(line, line->command.row->cli, option,
                  "--%s takes a number such as 2.5%s, of up to %u decimal places and not 0, and "
                  "not '%s'.",
                  option, number_hint(text), places, text);
    return false;
}

bool injection_count(const struct command_line *line, const char *option, uint64_t low,
                     uint64_t *ret)
{
    return take_decimal(line, option, 0, low, ret);
}

bool injection_decimal(const struct command_line *line, const char *option, unsigned places,
                       uint64_t *ret)
{
    return take_decimal(line, option, places, 1, ret);
}

/* --- The whole ----------------------------------------------------------------------------- */

/* A pace beyond the rate that was granted is said before a frame is sent, and not by the first
 * frame that is refused for it. */
static bool is_too_fast(const struct injection *run, const struct nb_value *payload)
{
    uint64_t granted = (uint64_t)member_number(payload, "rate") * PACE_PARTS;

    if (run->plan->feed || run->pace.kind != PACE_RATE || run->pace.number <= granted)
        return false;
    report(run->line, &(struct fault){.code = "out-of-range", .field = "pps"},
           "the service grants %" PRIu64 " frames a second on %s, and --pps is more: give a lower "
           "--pps, or ask for more by --rate %" PRIu64 ".",
           granted / PACE_PARTS, member_text(payload, "interface"),
           (run->pace.number + PACE_PARTS - 1) / PACE_PARTS);
    return true;
}

static int inject(struct injection *run, const struct nb_reply *reply)
{
    const struct nb_value *payload = nb_reply_payload(reply);
    int result;

    if (is_too_fast(run, payload))
        return EXIT_REFUSED;
    result = nb_inject_open(&run->inject, reply);
    if (result < 0) {
        report(run->line, &(struct fault){.code = "internal"},
               "the service's reply brought no ring to send by: %s.", strerror(-result));
        return EXIT_REFUSED;
    }
    run->number = member_number(payload, "inject");
    run->tally.interface = member_text(payload, "interface");
    if (run->supply.source)
        savefile_source_never_wait(run->supply.source);
    return injection_run(run);
}

/* More was asked for than a rule may allow, because what will come is not known. */
static int explain_refusal_of(const struct injection *run, const struct nb_reply *reply)
{
    int status = explain_refusal(run->line, reply);

    if (!run->is_known && !run->line->json && strcmp(nb_reply_code(reply), "not-allowed") == 0)
        fputs("What a stream brings is not known before. --ethertypes, --sources, --destinations "
              "and --vlans say what is asked for.\n",
              stderr);
    return status;
}

static int ask(struct injection *run, const struct nb_request *request)
{
    struct nb_reply *reply = NULL;
    int status, result = nb_call(run->client, request, &reply);

    if (result < 0)
        status = explain_unreachable(run->line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal_of(run, reply);
    else
        status = inject(run, reply);
    nb_inject_close(run->inject);
    nb_reply_free(reply);
    return status;
}

static int take_feed(struct injection *run)
{
    contents_add(&run->contents, run->plan->feed->sample, run->plan->feed->sample_length);
    run->is_known = true;
    run->tally.total = run->plan->feed->total;
    return EXIT_DONE;
}

static int prepare(struct injection *run, struct nb_request *request)
{
    int status = run->plan->feed ? take_feed(run) : injection_open_file(run);

    if (status != EXIT_DONE)
        return status;
    if (run->is_known)
        injection_narrow(run->line, request, &run->contents);
    if (run->tally.is_timed)
        nb_request_set_bool(request, "timed", true);
    return EXIT_DONE;
}

static int begin(struct injection *run, struct nb_request *request)
{
    int result, status;

    if (!run->notes || !take_signals())
        return explain_no_memory(run->line);
    run->signals = bell[0];
    status = prepare(run, request);
    if (status != EXIT_DONE)
        return status;
    result = connect_service(run->line, &run->client);
    if (result < 0)
        return explain_unreachable(run->line, result);
    status = ask(run, request);
    nb_close(run->client);
    return status;
}

int run_injection(const struct command_line *line, struct nb_request *request,
                  const struct injection_plan *plan)
{
    struct injection run = {
        .line = line,
        .plan = plan,
        .supply = {.passes = plan->passes, .limit = plan->limit},
        .pace = plan->pace,
        .tally = {.is_timed = plan->pace.kind != PACE_NONE,
                  .is_endless =
                      plan->feed ? plan->feed->is_endless : plan->passes == 0 && plan->limit == 0},
        .shows_progress = shows_progress(line),
        .notes = calloc(INJECTION_NOTES, sizeof(struct injection_note)),
    };
    int status = begin(&run, request);

    savefile_source_close(run.supply.source);
    free(run.notes);
    return status;
}
