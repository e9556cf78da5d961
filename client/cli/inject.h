/* What the commands that send have in common: frames of a file or text, or such as are made, go
 * into the ring of OPEN_INJECT, each with its time, and what became of them is told. */
#ifndef NB_CLI_INJECT_H
#define NB_CLI_INJECT_H

#include "cli.h"
#include "inject_report.h"
#include "pace.h"
#include "supply.h"

/* Frames that are made, instead of those of a file. */
struct injection_feed {
    void *context;
    /* A frame like all of them, by which the request says what is to be sent. */
    const uint8_t *sample;
    size_t sample_length;
    uint64_t total;  /* frames; 0: not known before */
    bool is_endless; /* a signal is its end */
    /* The next frame, and when it is due, ns from the start. SUPPLY_WAIT: nothing is due soon, see
     * wait; SUPPLY_BROKEN: it said why. */
    enum supply_next (*next)(void *context, struct savefile_source_frame *ret,
                             uint64_t *ret_offset);
    /* Of SUPPLY_WAIT: for how many ms at most; NULL: it is never returned. */
    int (*wait)(void *context);
    int fd; /* readable where there is news for `next`; -1: never */
    /* A line, in the end, and once a second before. */
    void (*report_json)(void *context, FILE *file, const struct injection_tally *tally);
    void (*report)(void *context, FILE *file); /* for people, behind the report; NULL: nothing */
};

struct injection_plan {
    const char *path;   /* of the file, "-": standard input; NULL: there is text instead */
    const char *text;   /* hexadecimal digits */
    struct pace pace;   /* other than PACE_NONE: the service keeps to times */
    uint64_t passes;    /* 0: until it is interrupted, or the limit is reached */
    uint64_t limit;     /* frames; 0: none */
    const char *repeat; /* the option by which there are several passes */
    const struct injection_feed *feed; /* NULL: path or text */
};

/* Does it all, and returns the exit status: EXIT_DONE where each frame that was asked for was
 * sent. */
int run_injection(const struct command_line *line, struct nb_request *request,
                  const struct injection_plan *plan);

/* --- Options: say_usage has said what is wrong where they return false ---------------------- */

/* A count from low on; *ret stays as it is where the option is not given. */
bool injection_count(const struct command_line *line, const char *option, uint64_t low,
                     uint64_t *ret);

/* A number with so many decimal places, which is not 0. */
bool injection_decimal(const struct command_line *line, const char *option, unsigned places,
                       uint64_t *ret);

#endif
