/* What commands that run a link tell of it: on standard error what happens, with --json as an
 * object a line on standard output, where its counters are as well. */
#ifndef NB_LINK_TOLD_H
#define NB_LINK_TOLD_H

#include "cli.h"
#include "link.h"
#include "link_news.h"

struct link_told {
    const struct command_line *line;
    const char *tap;        /* the name of the interface; "" where the link has none */
    bool offload;           /* frames on the sockets are behind an offload header */
    struct link_news *news; /* what the service is told; NULL: nothing */
    FILE *out;              /* instead of standard output, where a capture has that; else NULL */
};

/* The functions are called with a struct link_told as their context. */
extern const struct link_events link_told_events;

/* The link is ready: "nb-0 (fe:...) is linked to /tmp/s (u16le)". mac may be "". */
void link_tell_ready(const struct link_told *told, const char *mac, const char *where,
                     const struct link_options *options);

/* A line for each port. */
void link_tell_counters(struct link *link, const struct link_told *told);

/* What link_run returned, as an exit status; says why where it is an error. */
int link_tell_end(struct link *link, const struct link_told *told, int result);

#endif
