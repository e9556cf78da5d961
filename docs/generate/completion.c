/* What a shell must know to complete netbroker's command line: the commands, and the options of
 * each with their types. How to complete a type is the template's business. */
#include "generate.h"

#include <stdio.h>

static const char *const types[] = {
#define T(type, c_type, metavariable) [FIELD_##type] = #type,
    FIELD_TYPES(T)
#undef T
};

void write_bash_commands(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++)
        printf("    echo '%s'\n", action_row(action)->cli);
}

/* 'mfc del') echo source:source group:group dry-run:flag ;; */
void write_bash_options(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        const struct action_row *row = action_row(action);

        printf("    '%s') echo", row->cli);
        for (size_t i = 0; i < row->field_count; i++) {
            putchar(' ');
            print_option_name(&row->fields[i]);
            printf(":%s", types[row->fields[i].type]);
        }
        puts(" ;;");
    }
}

/* 'mfc add:Add a multicast route.' */
void write_zsh_commands(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        printf("        '%s:", action_row(action)->cli);
        print_escaped(action_row(action)->documentation, "'", "'\\'");
        puts("'");
    }
}

/* "--iif=[The inbound interface.]:INTERFACE:_netbroker_value interface", a line of _arguments
 * (zshcompsys(1)). */
static void write_zsh_option(const struct field *field)
{
    fputs("        \"", stdout);
    print_option_name(field);
    fputs(field->type == FIELD_flag ? "[" : "=[", stdout);
    print_escaped(field->documentation, "[]:\"$`\\", "\\");
    putchar(']');
    if (field->type != FIELD_flag)
        printf(":%s:_netbroker_value %s", field_metavariable(field->type), types[field->type]);
    puts("\"");
}

void write_zsh_options(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        const struct action_row *row = action_row(action);

        printf("    '%s') specs+=(\n", row->cli);
        for (size_t i = 0; i < row->field_count; i++)
            write_zsh_option(&row->fields[i]);
        puts("    ) ;;");
    }
}
