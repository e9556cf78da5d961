/* replay: the frames of a capture file, at the pace of the file or another one. */
#include "inject.h"

enum { SPEED_PLACES = 6, RATE_PLACES = 6, DELAY_PLACES = 9, SPEED_ONE = 1000000 };

/* One of them at most. */
static const struct {
    const char *option;
    enum pace_kind kind;
} paces[] = {{"speed", PACE_TIMES}, {"pps", PACE_RATE}, {"topspeed", PACE_NONE}};

static int choose_pace(const struct command_line *line, struct pace *pace)
{
    bool is_chosen = false;

    *pace = (struct pace){.kind = PACE_TIMES, .number = SPEED_ONE};
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        if (!command_line_flag(line, paces[i].option))
            continue;
        if (is_chosen)
            return say_usage(line, line->command.row->cli, paces[i].option,
                             "one of --speed, --pps and --topspeed says how fast it is.");
        is_chosen = true;
        pace->kind = paces[i].kind;
    }
    return EXIT_DONE;
}

static bool has_time_option(const struct command_line *line)
{
    return command_line_flag(line, "late") || command_line_flag(line, "catch_up") ||
           command_line_flag(line, "start") || command_line_flag(line, "delay");
}

static int read_pace(const struct command_line *line, struct pace *pace)
{
    int status = choose_pace(line, pace);

    if (status != EXIT_DONE)
        return status;
    if (pace->kind == PACE_NONE && has_time_option(line))
        return say_usage(line, line->command.row->cli, "topspeed",
                         "with --topspeed no frame has a time: leave out --late, --catch-up, "
                         "--start and --delay.");
    return injection_decimal(line, "speed", SPEED_PLACES, &pace->number) &&
                   injection_decimal(line, "pps", RATE_PLACES, &pace->number) &&
                   injection_decimal(line, "delay", DELAY_PLACES, &pace->delay)
               ? EXIT_DONE
               : EXIT_USAGE;
}

/* Frames that are late are sent all the same: the request says it so. */
static int read_late(const struct command_line *line, struct nb_request *request)
{
    if (!command_line_flag(line, "catch_up"))
        return EXIT_DONE;
    if (command_line_flag(line, "late"))
        return say_usage(line, line->command.row->cli, "late",
                         "--late leaves late frames out, and --catch-up sends them: give one.");
    nb_request_set_integer(request, "late", 0);
    return EXIT_DONE;
}

int run_replay(const struct command_line *line, struct nb_request *request)
{
    struct injection_plan plan = {
        .path = command_line_value(line, "file", 0), .passes = 1, .repeat = "loop"};
    int status = read_pace(line, &plan.pace);

    if (status == EXIT_DONE)
        status = read_late(line, request);
    if (status == EXIT_DONE && !(injection_count(line, "loop", 0, &plan.passes) &&
                                 injection_count(line, "limit", 1, &plan.limit)))
        status = EXIT_USAGE;
    return status == EXIT_DONE ? run_injection(line, request, &plan) : status;
}
