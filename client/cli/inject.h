/* What `send` and `replay` have in common: frames of a file or text go into the ring of
 * OPEN_INJECT, each with its time, and what became of them is told. */
#ifndef NB_CLI_INJECT_H
#define NB_CLI_INJECT_H

#include "cli.h"
#include "pace.h"

struct injection_plan {
    const char *path;   /* of the file, "-": standard input; NULL: there is text instead */
    const char *text;   /* hexadecimal digits */
    struct pace pace;   /* other than PACE_NONE: the service keeps to times */
    uint64_t passes;    /* 0: until it is interrupted, or the limit is reached */
    uint64_t limit;     /* frames; 0: none */
    const char *repeat; /* the option by which there are several passes */
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
