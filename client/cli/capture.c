/* capture: the frames of an interface to a file, by a session (client/capture/session.h). Here are
 * its options, and what people see of it. */
#include "cli.h"
#include "files.h"
#include "filter.h"
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NS_PER_SECOND = 1000000000 };

struct run {
    const struct command_line *line;
    const char *interface;
    struct nb_client *client; /* NULL: the service is gone */
    const struct nb_request *request;
    struct session_config config;
    bool has_progress; /* the last line of the terminal is one of ours */
};

/* --- Options ------------------------------------------------------------------------------- */

static int wrong(const struct run *run, const char *option, const char *sentence)
{
    return say_usage(run->line, run->line->command.row->cli, option, "--%s: %s.", option, sentence);
}

/* The number of an option, times a unit; 0 where it is not given. */
static bool take_number(const struct run *run, const char *option, uint64_t unit, uint64_t *ret)
{
    const char *text = command_line_value(run->line, option, 0);
    const struct field named = {.name = option};
    char *end, name[32];
    unsigned long long number;

    *ret = 0;
    if (!text)
        return true;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number == 0 ||
        number > UINT64_MAX / unit) {
        say_usage(run->line, run->line->command.row->cli, option,
                  "%s takes a number from 1 on, and '%s' is none.",
                  option_name(&named, name, sizeof name), text);
        return false;
    }
    *ret = number * unit;
    return true;
}

static int read_limits(struct run *run)
{
    uint64_t files;

    if (!take_number(run, "count", 1, &run->config.stop.packets) ||
        !take_number(run, "duration", NS_PER_SECOND, &run->config.stop.duration) ||
        !take_number(run, "file_bytes", 1, &run->config.rotate.bytes) ||
        !take_number(run, "file_seconds", NS_PER_SECOND, &run->config.rotate.duration) ||
        !take_number(run, "file_frames", 1, &run->config.rotate.packets) ||
        !take_number(run, "files", 1, &files))
        return EXIT_USAGE;
    if (files > SAVEFILE_FILES_MAX)
        return wrong(run, "files", "there are at most 10000");
    run->config.rotate.files = (unsigned)files;
    if (!run->config.path &&
        (run->config.rotate.bytes || run->config.rotate.duration || run->config.rotate.packets))
        return wrong(run, "write", "files that take turns need a name");
    return EXIT_DONE;
}

static int add_filter(const struct run *run, struct nb_request *request)
{
    const char *expression = command_line_value(run->line, "filter", 0);
    char problem[FILTER_PROBLEM_MAX], *program;

    if (!expression)
        return EXIT_DONE;
    program = capture_filter_compile(expression, SNAPLEN_MAX, problem);
    if (!program)
        return say_usage(run->line, run->line->command.row->cli, "filter",
                         "--filter '%s': %s. pcap-filter(7) has what it takes.", expression,
                         problem);
    nb_request_set_string(request, "filter", program);
    free(program);
    return EXIT_DONE;
}

/* --- What people see ----------------------------------------------------------------------- */

static const char *size_text(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double number = (double)bytes;
    unsigned unit = 0;

    while (number >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1024;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
    return text;
}

static void show_progress(void *context, const struct session_counters *counters)
{
    struct run *run = context;
    char size[32];

    fprintf(stderr, "\r%s: %" PRIu64 " frames, %s, %" PRIu64 " lost%s\033[K", run->interface,
            counters->frames, size_text(counters->bytes, size),
            counters->lost + counters->kernel_dropped,
            counters->knows_up && !counters->is_up ? "; the interface is down" : "");
    run->has_progress = true;
}

static void end_progress(struct run *run)
{
    if (run->has_progress)
        fputs("\r\033[K", stderr);
    run->has_progress = false;
}

static void say_changed(void *context, const struct session_counters *counters)
{
    struct run *run = context;

    end_progress(run);
    fprintf(stderr, "netbroker: %s is %s.\n", run->interface, counters->is_up ? "up" : "down");
}

static struct nb_reply *ask_again(void *context, struct nb_client **client)
{
    struct run *run = context;
    struct nb_reply *reply = call_again(run->line, run->request, &run->client);

    *client = run->client;
    return reply;
}

static void say_resumed(void *context)
{
    struct run *run = context;

    end_progress(run);
    fprintf(stderr, "netbroker: the service was gone; the capture of %s goes on.\n",
            run->interface);
}

static void say_summary(const struct run *run, const struct session_counters *counters,
                        bool is_written)
{
    bool is_data = run->config.path && savefile_is_output(run->config.path);

    if (run->line->json)
        fprintf(is_data ? stderr : stdout,
                "{\"interface\":\"%s\",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"lost\":%" PRIu64 ",\"received\":%" PRIu64 ",\"kernel_dropped\":%" PRIu64
                ",\"iface_dropped\":%" PRIu64 "}\n",
                run->interface, counters->frames, counters->bytes, counters->lost,
                counters->received, counters->kernel_dropped, counters->iface_dropped);
    else
        fprintf(stderr,
                "%" PRIu64 " frames captured on %s%s; %" PRIu64 " lost by the kernel, %" PRIu64
                " by this command.\n",
                counters->frames, run->interface,
                is_written ? "" : ", of which the last ones were not written",
                counters->kernel_dropped, counters->lost);
}

/* --- The capture --------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *code;
} ends[] = {
    [SESSION_DONE] = {EXIT_DONE, ""},
    [SESSION_GONE] = {EXIT_UNREACHABLE, "gone"},
    [SESSION_CLOSED] = {EXIT_REFUSED, "gone"},
    [SESSION_FAILED] = {EXIT_REFUSED, "file"},
    [SESSION_INVALID] = {EXIT_REFUSED, "internal"},
};

static int capture(struct run *run, struct nb_client *client, const struct nb_reply *reply)
{
    struct session_counters counters;
    char problem[SESSION_PROBLEM];
    enum session_end end;

    run->interface = member_text(nb_reply_payload(reply), "interface");
    end = session_run(client, reply, &run->config, &counters, problem);
    end_progress(run);
    if (end != SESSION_DONE)
        report(run->line, &(struct fault){.code = ends[end].code}, "%s.", problem);
    if (end != SESSION_INVALID)
        say_summary(run, &counters, end != SESSION_FAILED || counters.frames == 0);
    return ends[end].status;
}

static int ask(struct run *run, struct nb_client *client, const struct nb_request *request)
{
    struct nb_reply *reply = NULL;
    int status, result = nb_call(client, request, &reply);

    if (result < 0)
        status = explain_unreachable(run->line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal(run->line, reply);
    else
        status = capture(run, client, reply);
    nb_reply_free(reply);
    return status;
}

static struct session_config config_of(const struct command_line *line, struct run *run)
{
    struct session_config config = {
        .path = command_line_value(line, "write", 0),
        .format = command_line_flag(line, "pcap") ? SAVEFILE_PCAP : SAVEFILE_PCAPNG,
        .application = "netbroker " NB_VERSION,
        .filter = command_line_value(line, "filter", 0),
        .comment = command_line_value(line, "comment", 0),
        .again = ask_again,
        .resumed = say_resumed,
        .context = run,
    };

    if (!line->json)
        config.changed = say_changed;
    if (shows_progress(line))
        config.progress = show_progress;
    return config;
}

int run_capture(const struct command_line *line, struct nb_request *request)
{
    struct run run = {.line = line, .request = request};
    int result, status;

    run.config = config_of(line, &run);
    status = read_limits(&run);
    if (status == EXIT_DONE)
        status = add_filter(&run, request);
    if (status != EXIT_DONE)
        return status;
    if (run.config.path && savefile_is_output(run.config.path) && isatty(STDOUT_FILENO))
        return wrong(&run, "write", "frames do not go to a terminal; name a file, or pipe it");
    if (!session_take_signals())
        return explain_no_memory(line);
    result = connect_service(line, &run.client);
    if (result < 0)
        return explain_unreachable(line, result);
    status = ask(&run, run.client, request);
    nb_close(run.client);
    return status;
}
