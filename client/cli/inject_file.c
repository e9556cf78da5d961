/* The file whose frames are to be sent: what is wrong with it is said before anything is sent,
 * where it can be read twice. */
#include "inject_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum {
    LOOK_FRAMES = 16384, /* between looks at signals */
    KEEP_MIB = 64,       /* of what can be read once, and is to be sent several times */
};

bool injection_is_interrupted(const struct injection *run)
{
    struct pollfd polled = {.fd = run->signals, .events = POLLIN};

    return poll(&polled, 1, 0) > 0;
}

/* --- What is wrong with a file ------------------------------------------------------------- */

static int say_file(const struct injection *run, const char *sentence)
{
    const char *path = run->plan->path ? run->plan->path : "the frame";

    report(run->line, &(struct fault){.code = "file"}, "%s: %s.",
           strcmp(path, "-") == 0 ? "standard input" : path, sentence);
    return EXIT_REFUSED;
}

int injection_say_broken(const struct injection *run)
{
    report(run->line, &(struct fault){.code = "file"}, "%s.",
           savefile_source_problem(run->supply.source));
    return EXIT_REFUSED;
}

int injection_say_no_pace(const struct injection *run, enum pace_next why)
{
    char sentence[200];

    if (why == PACE_TOO_FAR)
        return say_file(run, "the frames would take centuries");
    snprintf(sentence, sizeof sentence,
             "frame %" PRIu64
             " has no time: --pps says how many to send in a second, or --topspeed",
             run->supply.number);
    return say_file(run, sentence);
}

int injection_say_once(const struct injection *run, int error)
{
    char sentence[200];

    if (error == -EFBIG)
        snprintf(
            sentence, sizeof sentence,
            "it has more than %d MiB and can be read once, but --%s asks for more: give a file "
            "instead",
            KEEP_MIB, run->plan->repeat);
    else
        snprintf(sentence, sizeof sentence, "it cannot be read again for --%s: %s",
                 run->plan->repeat, strerror(-error));
    return say_file(run, sentence);
}

/* --- Before anything is sent --------------------------------------------------------------- */

static int open_source(struct injection *run)
{
    const char *path = run->plan->path;
    int result = path ? savefile_source_open(&run->supply.source, path)
                      : savefile_source_text(&run->supply.source, run->plan->text);

    if (result == -ENOMEM)
        return explain_no_memory(run->line);
    return result < 0 ? explain_file(run->line, path, result) : EXIT_DONE;
}

/* Of a file that was cut, as where its disk was full, the frames before that can be sent. */
static int say_cut(const struct injection *run, const struct supply *supply)
{
    const char *option = strcmp(run->plan->repeat, "loop") == 0 ? "limit" : "count";

    if (supply->given == 0)
        return injection_say_broken(run);
    report(run->line, &(struct fault){.code = "file"},
           "%s. Nothing was sent; --%s %" PRIu64 " sends the frames before that.",
           savefile_source_problem(run->supply.source), option, supply->given);
    return EXIT_REFUSED;
}

/* One pass through the file, with the pace. */
static int look_through(struct injection *run, struct supply *supply, struct pace *pace)
{
    struct savefile_source_frame frame;
    enum supply_next next;
    enum pace_next paced = PACE_OFFSET;
    uint64_t offset;

    while (paced == PACE_OFFSET && (next = supply_next(supply, &frame)) == SUPPLY_FRAME) {
        contents_add(&run->contents, frame.bytes, frame.length);
        paced = pace_next(pace, frame.has_time, frame.time, &offset);
        if (supply->given % LOOK_FRAMES == 0 && injection_is_interrupted(run))
            return EXIT_REFUSED;
    }
    run->supply.number = supply->number;
    if (paced != PACE_OFFSET)
        return injection_say_no_pace(run, paced);
    return next == SUPPLY_BROKEN ? say_cut(run, supply) : EXIT_DONE;
}

static int say_no_frame(const struct injection *run, const struct supply *supply)
{
    return say_file(run, supply->cut ? "the capture has no frame as a whole, but parts of them: "
                                       "a larger snapshot length would be right"
                                     : "there is no frame in it");
}

/* How many frames all passes have. */
static uint64_t count_all(const struct injection_plan *plan, uint64_t frames)
{
    uint64_t all = plan->passes && frames <= UINT64_MAX / plan->passes ? frames * plan->passes : 0;

    return plan->limit && (all == 0 || all > plan->limit) ? plan->limit : all;
}

/* Of what can be read once nothing is known before. */
static int look_before(struct injection *run)
{
    struct supply supply = run->supply;
    struct pace pace = run->pace;
    bool is_one_pass;
    int status;

    if (run->plan->passes != 1) {
        status = savefile_source_keep(supply.source, (uint64_t)KEEP_MIB << 20);
        if (status < 0)
            return injection_say_once(run, status);
    }
    if (savefile_source_again(supply.source) < 0)
        return EXIT_DONE;
    supply.passes = 1;
    status = look_through(run, &supply, &pace);
    if (status != EXIT_DONE)
        return status;
    is_one_pass = run->plan->passes == 1 || (supply.limit && supply.given == supply.limit);
    if (supply.given == 0)
        return say_no_frame(run, &supply);
    if (!is_one_pass && !pace_pass(&pace))
        return say_file(run, "all frames have one time, and so there is none between passes: --pps "
                             "says how many to send in a second");
    run->is_known = true;
    run->tally.total = count_all(run->plan, supply.given);
    run->supply.number = 0;
    savefile_source_again(run->supply.source);
    return EXIT_DONE;
}

int injection_open_file(struct injection *run)
{
    int status = open_source(run);

    return status == EXIT_DONE ? look_before(run) : status;
}
