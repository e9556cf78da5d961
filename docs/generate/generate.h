/* What the parts of the generator share: each writes one part of a document from the tables of
 * libproto to standard output. */
#ifndef NB_GENERATE_H
#define NB_GENERATE_H

#include "commands.h"

typedef void writer(void);

/* reference.c: Markdown. They end the program where an example is no valid request. */
writer write_action_sections, write_error_rows;

/* manual.c: mdoc(7) */
writer write_command_sections, write_route_items, write_join_section, write_error_items,
    write_verb_items;

/* completion.c: lines of bash and zsh */
writer write_bash_commands, write_bash_options, write_zsh_commands, write_zsh_options;

/* "--dry-run" for the field dry_run, in pieces: prints the name with '-' for each '_'. */
void print_option_name(const struct field *field);

/* Prints text with a backslash, or what else escape is, before each byte of special. */
void print_escaped(const char *text, const char *special, const char *escape);

#endif
