/* What a request to send asks for: no more than the frames need, where they are known. */
#ifndef NB_CLI_INJECT_NARROW_H
#define NB_CLI_INJECT_NARROW_H

#include "cli.h"
#include "contents.h"

/* Sets those fields of OPEN_INJECT that say which frames may be sent, but for those that the
 * command line gives. */
void injection_narrow(const struct command_line *line, struct nb_request *request,
                      const struct contents *contents);

#endif
