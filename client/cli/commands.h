/* The commands: most are one action each and come from the action table, some are of the command
 * line's own and do more than one request. Command line, help, completion and the manual page are
 * made from these rows alike. */
#ifndef NB_COMMANDS_H
#define NB_COMMANDS_H

#include "table.h"

/* Types of options beside those that fields have: T(type, how help calls a value, whether it may be
 * given several times). What is given of them stays text, which command_line_value has; but for a
 * time that may be left out, and the words of a command to run, which stand behind "--". */
#define OPTION_TYPES(T)                                                                            \
    T(FILE, file, "FILE", false)                                                                   \
    T(SECONDS, seconds, "[SECONDS]", false)                                                        \
    T(COMMAND, command, "COMMAND", false)                                                          \
    T(PATH, path, "PATH", false)                                                                   \
    T(PLACE, place, "PATH|PORT|ADDRESS:PORT", true)                                                \
    T(WHERE, where, "PLACE[,OPTION]...", true)                                                     \
    T(DESCRIPTOR, descriptor, "FD[,OPTION]...", true)                                              \
    T(MODE, mode, "MODE", false)                                                                   \
    T(OWNERS, owners, "GROUP", false)                                                              \
    T(HOST, host, "ADDRESS[/LENGTH]", false)                                                       \
    T(QUANTITY, quantity, "NUMBER", false)                                                         \
    T(PHASOR, phasor, "[PHASE=]RMS[:ANGLE]", true)                                                 \
    T(HARMONIC, harmonic, "[CHANNEL=]ORDER:PERCENT[:ANGLE]", true)                                 \
    T(QUALITY, quality, "[CHANNEL=]WORD[,WORD]...", true)                                          \
    T(FLAW, flaw, "COUNT@SECONDS|COUNT/EVERY", true)                                               \
    T(SYNCH, synch, "[AT:]WORD", true)                                                             \
    T(CHANNELS, channels, "I4U4|CHANNEL[,CHANNEL]...", true)                                       \
    T(DATUM, datum, "TYPE:VALUE", true)                                                            \
    T(CHANGE, change, "AT:MEMBER=VALUE", true)                                                     \
    T(TEXT, text, "TEXT", false)

enum option_type {
    OPTION_TYPES_BEGIN = FIELD_TYPE_COUNT - 1,
#define T(NAME, name, metavariable, repeats) OPTION_##NAME,
    OPTION_TYPES(T)
#undef T
        OPTION_TYPES_END
};

/* The times that an option takes. */
#define OPTION_SECONDS_DEFAULT 1.0
#define OPTION_SECONDS_MIN     0.1
#define OPTION_SECONDS_MAX     86400.0

/* The commands of our own. */
enum own_command {
    OWN_REPLACE,
    OWN_IMPORT,
    OWN_TAP_EXEC,
    OWN_TAP_CREATE,
    OWN_TAPSERVER,
    OWN_LINK_SERVE,
    OWN_CAPTURE,
    OWN_SEND,
    OWN_REPLAY,
    OWN_SV_SUBSCRIBE,
    OWN_GOOSE_SUBSCRIBE,
    OWN_SV_PUBLISH,
    OWN_SV_RUN,
    OWN_GOOSE_PUBLISH,
    OWN_COUNT
};

struct command {
    /* What it takes, also where it is no action; of an action, options of our own as well, behind
     * its fields. NULL: no command. */
    const struct action_row *row;
    enum action action;   /* ACTION_COUNT: it is one of our own */
    enum own_command own; /* OWN_COUNT: it is an action */
};

/* The command of this place in the order in which they are listed; row is NULL behind the last.
 * Actions without words of a command are none. */
struct command command_at(size_t index);

/* The name of its type, as the table or OPTION_TYPES has it. */
const char *option_type_name(const struct field *option);

/* Whether it stands for the words of a command, at the end behind "--". */
bool option_is_command(const struct field *option);

/* Whether its fallback is a number that tells people something. */
bool option_has_default(const struct field *option);

/* Whether it may be given several times. */
bool option_repeats(const struct field *option);

/* How help calls a value of the option, e.g. "ADDRESS"; "" for a flag. */
const char *option_metavariable(const struct field *option);

/* The field that a message of the service names where this option of the command is meant. */
const char *option_field(const struct action_row *row, const struct field *option);

/* Whether it stands without a name, in its place. */
bool option_is_argument(const struct field *option);

/* What help calls an option without a name: "LEASE" for the field lease. Returns text. */
const char *argument_name(const struct field *option, char *text, size_t size);

/* What help says about an option: what the table says about the field, where the command line does
 * not have words of its own. */
const char *option_documentation(const struct action_row *row, const struct field *option);

#endif
