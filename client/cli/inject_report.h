/* What became of frames that were to be sent: for people, and as JSON. */
#ifndef NB_CLI_INJECT_REPORT_H
#define NB_CLI_INJECT_REPORT_H

#include "cli.h"

struct injection_tally {
    const char *interface;
    bool is_timed;
    bool knows_realtime, has_realtime; /* the service's thread has a real-time priority */
    bool is_endless;                   /* an interruption is its end */
    bool interrupted;
    bool is_running;      /* it is not over: what there is of it until now */
    uint64_t total;       /* frames that were to be sent, but for cut ones; 0: not known before */
    uint64_t put;         /* frames that went into the ring */
    uint64_t too_long;    /* frames that the ring does not take: the interface sends none so long */
    uint64_t cut;         /* frames of which the file has a part */
    uint64_t starved;     /* frames that were put after their time */
    uint64_t backwards;   /* frames whose time is before that of an earlier one */
    uint64_t first, last; /* times of frames, ns from the beginning */
    uint64_t duration;    /* ns, from the first frame to the last one that was sent */
    struct nb_inject_counts counts;
    struct nb_inject_timing timing;
};

/* All that were asked for were sent; of a stream that was interrupted nobody knows what they are.
 */
bool injection_is_complete(const struct injection_tally *tally);

/* Takes from the duration how long it took to hear of the last frame: none was later than the
 * latest one. */
void injection_settle(struct injection_tally *tally);

void injection_report(FILE *file, const struct injection_tally *tally);
void injection_report_json(FILE *file, const struct injection_tally *tally);

/* Why a frame was not sent, and what would be right: on standard error. `header`: what the frame
 * begins with, of so many bytes; 0: not known any more. */
void injection_explain(const struct command_line *line, const char *interface,
                       const struct nb_inject_refusal *refusal, const unsigned char *header,
                       size_t length);

#endif
