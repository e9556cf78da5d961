/* What a shell must know to complete netbroker's command line: the commands, and the options of
 * each with their types. How to complete a type is the template's business. */
#include "generate.h"

#include <stdio.h>

/* A path that stands without a name. */
static bool is_path(const struct field *option)
{
    return (int)option->type == OPTION_FILE && option->need == ARGUMENT;
}

void write_bash_commands(void)
{
    const struct action_row *row;

    for (size_t i = 0; (row = command_at(i).row); i++)
        printf("    echo '%s'\n", row->cli);
}

static void write_bash_option(const struct field *option)
{
    putchar(' ');
    print_option_name(option);
    printf(":%s", option_type_name(option));
    if ((int)option->type == OPTION_FILE)
        fputs(is_path(option) ? " FILE:file" : " -f:file", stdout);
}

/* 'mfc del') echo --source:source --group:group --dry-run:flag ;; */
void write_bash_options(void)
{
    const struct action_row *row;

    for (size_t command = 0; (row = command_at(command).row); command++) {
        printf("    '%s') echo", row->cli);
        for (size_t i = 0; i < row->field_count; i++)
            if (!option_is_command(&row->fields[i]))
                write_bash_option(&row->fields[i]);
        puts(" ;;");
    }
}

/* 'mfc add:Add a multicast route.' */
void write_zsh_commands(void)
{
    const struct action_row *row;

    for (size_t i = 0; (row = command_at(i).row); i++) {
        printf("        '%s:", row->cli);
        print_escaped(row->documentation, "'", "'\\'");
        puts("'");
    }
}

/* "--iif=[The inbound interface.]:INTERFACE:_netbroker_value interface", a line of _arguments
 * (zshcompsys(1)). */
static void write_zsh_option(const struct action_row *row, const struct field *field)
{
    fputs("        \"", stdout);
    print_option_name(field);
    fputs(field->type == FIELD_flag ? "[" : "=[", stdout);
    print_escaped(option_documentation(row, field), "[]:\"$`\\", "\\");
    putchar(']');
    if (field->type != FIELD_flag)
        printf(":%s:_netbroker_value %s", option_metavariable(field), option_type_name(field));
    puts("\"");
    if ((int)field->type == OPTION_FILE)
        printf("        \"%s:FILE:_files\"\n", is_path(field) ? "1" : "-f[The same.]");
}

void write_zsh_options(void)
{
    const struct action_row *row;

    for (size_t command = 0; (row = command_at(command).row); command++) {
        printf("    '%s') specs+=(\n", row->cli);
        for (size_t i = 0; i < row->field_count; i++)
            if (!option_is_command(&row->fields[i]))
                write_zsh_option(row, &row->fields[i]);
        puts("    ) ;;");
    }
}
