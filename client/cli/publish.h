/* What `sv publish` and `goose publish` share: options, and their own lines of the report. */
#ifndef NB_CLI_PUBLISH_H
#define NB_CLI_PUBLISH_H

#include "clock.h"
#include "iec61850/process.h"
#include "inject.h"

/* --- publish_options.c: where they return false, say_usage has said what is wrong ------------ */

/* A whole number from low to high, also as 0x4000; *ret stays where the option is not given. */
bool publish_natural(const struct command_line *line, const char *option, uint64_t low,
                     uint64_t high, uint64_t *ret);

/* Addresses, tag, APPID and the S bit; app_id, destination: what they are where no option says it.
 */
bool publish_header(const struct command_line *line, uint16_t app_id, const char *destination,
                    struct iec_frame *ret);

/* Says what is wrong with the value of an option. Returns false. */
bool publish_wrong(const struct command_line *line, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A text that an object reference of IEC 61850-7-2 has room for: up to 129 characters. */
bool publish_text(const struct command_line *line, const char *option, const char *fallback,
                  struct iec_text *ret);

/* --duration in ns; 0: not given. */
bool publish_duration(const struct command_line *line, uint64_t *ret);

/* --- publish.c ----------------------------------------------------------------------------- */

/* Sets the request's start to the first multiple of `grid` ms that is `lead` ms ahead, and returns
 * it in ns since 1970. */
uint64_t publish_start(struct nb_request *request, uint64_t lead, uint64_t grid);

/* What a stream tells beside what became of it. */
struct publish_notes {
    bool has_flaws;
    uint64_t dropped, duplicated; /* frames, on purpose */
    bool has_synch;
    uint8_t synch;                   /* smpSynch of the newest frame */
    const struct clock_state *clock; /* by which it is; NULL: it is not */
};

/* What became of a stream until now, or in the end: a line of JSON, "stream/status". */
void publish_status(FILE *file, struct iec_text id, const struct injection_tally *tally,
                    const struct publish_notes *notes);

#endif
