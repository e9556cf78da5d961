/* send: frames of text or a file, as fast as they go or at intervals. */
#include "inject.h"

#include <unistd.h>

enum { RATE_PLACES = 6, INTERVAL_PLACES = 9 };

static int wrong(const struct command_line *line, const char *option, const char *sentence)
{
    return say_usage(line, line->command.row->cli, option, "%s", sentence);
}

/* Text of the command line, a file, or standard input where it is no terminal. */
static int read_frames(const struct command_line *line, struct injection_plan *plan)
{
    plan->text = command_line_value(line, "hex", 0);
    plan->path = line->file;
    if (plan->text && plan->path)
        return wrong(line, "hex", "either --hex or --file has the frames, not both.");
    if (plan->text && plan->text[0] == '-' && !plan->text[1]) {
        plan->text = NULL;
        plan->path = "-";
    }
    if (!plan->text && !plan->path && isatty(STDIN_FILENO))
        return wrong(line, "hex",
                     "there is no frame: give it as --hex TEXT, or name a file by --file.");
    if (!plan->text && !plan->path)
        plan->path = "-";
    return EXIT_DONE;
}

/* Options that mean nothing without a time. */
static int refuse_times(const struct command_line *line)
{
    static const char *const names[] = {"late", "start"};
    char sentence[100];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(sentence, sizeof sentence,
                 "--%s is for frames that have a time: give --pps or --interval.", names[i]);
        if (command_line_flag(line, names[i]))
            return wrong(line, names[i], sentence);
    }
    return EXIT_DONE;
}

static int read_pace(const struct command_line *line, struct pace *pace)
{
    bool has_rate = command_line_flag(line, "pps");

    if (has_rate && command_line_flag(line, "interval"))
        return wrong(line, "pps",
                     "either --pps or --interval says when frames are sent, not both.");
    if (has_rate)
        pace->kind = PACE_RATE;
    else if (command_line_flag(line, "interval"))
        pace->kind = PACE_INTERVAL;
    else
        return refuse_times(line);
    return injection_decimal(line, "pps", RATE_PLACES, &pace->number) &&
                   injection_decimal(line, "interval", INTERVAL_PLACES, &pace->number)
               ? EXIT_DONE
               : EXIT_USAGE;
}

int run_send(const struct command_line *line, struct nb_request *request)
{
    struct injection_plan plan = {.passes = 1, .repeat = "count"};
    int status = read_frames(line, &plan);

    if (status == EXIT_DONE)
        status = read_pace(line, &plan.pace);
    if (status == EXIT_DONE && !injection_count(line, "count", 0, &plan.limit))
        status = EXIT_USAGE;
    if (status != EXIT_DONE)
        return status;
    if (command_line_flag(line, "count"))
        plan.passes = 0;
    return run_injection(line, request, &plan);
}
