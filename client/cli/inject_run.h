/* What the files of `send` and `replay` share of one run. */
#ifndef NB_CLI_INJECT_RUN_H
#define NB_CLI_INJECT_RUN_H

#include "contents.h"
#include "inject.h"
#include "inject_report.h"
#include "supply.h"

enum {
    INJECTION_NOTES = 1 << 14, /* frames whose headers are kept, for what is said of refusals */
    INJECTION_NOTE_BYTES = 22, /* a header with two tags */
};

struct injection_note {
    uint64_t sequence;
    uint8_t length;
    unsigned char header[INJECTION_NOTE_BYTES];
};

struct injection {
    const struct command_line *line;
    const struct injection_plan *plan;
    int signals; /* readable when a signal came */
    struct supply supply;
    struct pace pace;
    struct contents contents;
    bool is_known; /* the contents are those of all frames */
    struct nb_client *client;
    struct nb_inject *inject;
    int64_t number; /* of the injection, to close it */
    bool has_frame; /* that is not in the ring yet */
    struct savefile_source_frame frame;
    uint64_t offset; /* of that frame */
    uint64_t began;  /* CLOCK_MONOTONIC: of offset 0, or of the first frame; 0: not yet */
    uint64_t shown;
    uint32_t explained; /* a bit for each reason */
    bool shows_progress, has_progress;
    struct injection_tally tally;
    struct injection_note *notes;
};

/* --- inject_file.c: what is wrong with a file is said, and EXIT_REFUSED returned ------------- */

int injection_say_broken(const struct injection *run);
int injection_say_no_pace(const struct injection *run, enum pace_next why);
int injection_say_once(const struct injection *run, int error);

/* Opens the file, and reads it once if it can be read again. Returns an exit status. */
int injection_open_file(struct injection *run);

bool injection_is_interrupted(const struct injection *run);

/* --- inject_loop.c ------------------------------------------------------------------------- */

/* Puts all frames, waits until they were sent, and tells what became of them. Returns an exit
 * status. */
int injection_run(struct injection *run);

#endif
