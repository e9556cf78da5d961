/* The commands: most are one action each and come from the action table, some are of the command
 * line's own and do more than one request. Command line, help, completion and the manual page are
 * made from these rows alike. */
#ifndef NB_COMMANDS_H
#define NB_COMMANDS_H

#include "table.h"

/* A type of option beside those that fields have: the path of a file. */
enum { OPTION_FILE = FIELD_TYPE_COUNT };

/* The commands of our own. */
enum own_command { OWN_REPLACE, OWN_IMPORT, OWN_COUNT };

struct command {
    const struct action_row *row; /* what it takes, also where it is no action; NULL: no command */
    enum action action;           /* ACTION_COUNT: it is one of our own */
    enum own_command own;         /* OWN_COUNT: it is an action */
};

/* The command of this place in the order in which they are listed; row is NULL behind the last.
 * Actions without words of a command are none. */
struct command command_at(size_t index);

/* How help calls a value of the option, e.g. "ADDRESS"; "" for a flag. */
const char *option_metavariable(const struct field *option);

#endif
