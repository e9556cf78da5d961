/* The options of tapserver, for itself and for its tests. */
#ifndef NB_TAPSERVER_H
#define NB_TAPSERVER_H

#include "cli.h"
#include "link/link.h"

struct tapserver_options {
    struct link_options link; /* of the places where clients connect */
    bool show_data, show_size_warnings;
};

/* Reads them; what the service is asked for goes to the request. Returns EXIT_DONE, or EXIT_USAGE
 * after it said what is wrong. */
int tapserver_read(const struct command_line *line, struct nb_request *request,
                   struct tapserver_options *ret);

/* Says which of those that are given mean nothing here, and why. */
void tapserver_tell_ignored(const struct command_line *line);

#endif
