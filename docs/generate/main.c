/* The generator: fills a document's template from the tables of libproto, so that no document can
 * disagree with the service. A line of the template that is only a name such as @ACTIONS@ becomes
 * what the writer of that name writes; all others stay as they are.
 *
 * usage: generate TEMPLATE >DOCUMENT */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *line;
    writer *write;
} parts[] = {
    {"@ACTIONS@\n", write_action_sections},       {"@ERRORS@\n", write_error_rows},
    {"@MAN_COMMANDS@\n", write_command_sections}, {"@MAN_ERRORS@\n", write_error_items},
    {"@MAN_ROUTE_FIELDS@\n", write_route_items},  {"@MAN_JOIN@\n", write_join_section},
    {"@MAN_VERBS@\n", write_verb_items},          {"@BASH_COMMANDS@\n", write_bash_commands},
    {"@BASH_OPTIONS@\n", write_bash_options},     {"@ZSH_COMMANDS@\n", write_zsh_commands},
    {"@ZSH_OPTIONS@\n", write_zsh_options},
};

void print_option_name(const struct field *field)
{
    fputs("--", stdout);
    for (const char *c = field->name; *c; c++)
        putchar(*c == '_' ? '-' : *c);
}

void print_escaped(const char *text, const char *special, const char *escape)
{
    for (; *text; text++)
        printf("%s%c", strchr(special, *text) ? escape : "", *text);
}

static void write_line(const char *line)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(line, parts[i].line) == 0) {
            parts[i].write();
            return;
        }
    fputs(line, stdout);
}

int main(int argc, char **argv)
{
    FILE *template = argc == 2 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t size = 0;

    if (!template) {
        fputs("usage: generate TEMPLATE >DOCUMENT\n", stderr);
        return EXIT_FAILURE;
    }
    while (getline(&line, &size, template) > 0)
        write_line(line);
    free(line);
    fclose(template);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
