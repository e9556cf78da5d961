/* netbroker-extcap: the interfaces of the service in the lists of Wireshark and tshark.
 *
 * They start it for each question, and for each capture, with the arguments that doc/README.extcap
 * of Wireshark describes. What it answers stands on standard output, a sentence a line, and nothing
 * else does: a service that is away has no interfaces. What stands on standard error, they show as
 * an error, even where it succeeds. */
#ifndef NB_EXTCAP_H
#define NB_EXTCAP_H

#include "netbroker.h"

#define PROGRAM "netbroker-extcap"
/* Of the interfaces' names there: their own are those of Wireshark's own captures. */
#define PREFIX "netbroker-"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

/* What the command line says. Texts are NULL where it does not, or where they are empty. */
struct options {
    const char *interface; /* with the prefix */
    const char *filter;    /* may be empty */
    const char *fifo;
    const char *ethertypes, *direction, *snaplen, *buffer, *latency, *format;
    bool promiscuous;
    bool lists, dlts, config, capture, help, version; /* what is asked for */
    const char *unused;
};

/* Says what is wrong. Returns the status. */
int say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- options.c ----------------------------------------------------------------------------- */

/* Returns EXIT_DONE, or EXIT_USAGE after it said what is wrong. */
int options_read(struct options *ret, int argc, char **argv);

/* The interface without the prefix; NULL after it was said that it is none of ours. */
const char *options_interface(const struct options *options);

/* The request for this capture. Returns EXIT_DONE, or a status after it said what is wrong; then
 * there is none. */
int options_request(const struct options *options, struct nb_request **ret);

void options_help(void);

/* --- interfaces.c -------------------------------------------------------------------------- */

/* Print the interfaces, the link types of each, and the options of one. */
int print_interfaces(void);
int print_dlts(void);
int print_config(const struct options *options);

/* --- capture.c ----------------------------------------------------------------------------- */

/* Prints what is wrong with the filter, nothing where it is right. */
int print_filter_problem(const struct options *options);

int capture(const struct options *options);

#endif
