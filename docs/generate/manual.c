/* Parts of the manual pages, in mdoc(7): a subsection for each command, an item for each error. */
#include "generate.h"

#include "error.h"
#include "statements/line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Each sentence begins a line, as mdoc(7) asks, so that it can be set with the right space. */
static void print_sentences(const char *text)
{
    for (; *text; text++)
        if (strncmp(text, ". ", 2) == 0) {
            puts(".");
            text++;
        } else if (*text == '\\') {
            fputs("\\e", stdout);
        } else {
            putchar(*text);
        }
    putchar('\n');
}

/* "Fl -source Ar ADDRESS", or "Ar LEASE" */
static void print_option(const struct field *field)
{
    char name[64];

    if (option_is_argument(field)) {
        printf("Ar %s\n", argument_name(field, name, sizeof name));
        return;
    }
    fputs("Fl ", stdout);
    for (const char *c = field->name; *c; c++)
        printf("%s%c", c == field->name ? "-" : "", *c == '_' ? '-' : *c);
    if (option_metavariable(field)[0])
        printf(" Ar %s", option_metavariable(field));
    putchar('\n');
}

static void write_synopsis(const struct action_row *row)
{
    printf(".Pp\n.Nm\n.Cm %s\n", row->cli);
    for (size_t i = 0; i < row->field_count; i++)
        if (option_is_command(&row->fields[i])) {
            puts(".Fl - Ar COMMAND Op Ar ARGUMENT ...");
        } else {
            fputs(field_is_required(&row->fields[i]) ? "." : ".Op ", stdout);
            print_option(&row->fields[i]);
        }
}

static void write_options(const struct action_row *row)
{
    if (row->field_count == 0)
        return;
    puts(".Bl -tag -width Ds");
    for (size_t i = 0; i < row->field_count; i++) {
        fputs(".It ", stdout);
        print_option(&row->fields[i]);
        if (field_is_required(&row->fields[i]))
            puts("Required.");
        print_sentences(option_documentation(row, &row->fields[i]));
    }
    puts(".El");
}

void write_command_sections(void)
{
    const struct action_row *row;

    for (size_t i = 0; (row = command_at(i).row); i++) {
        printf(".Ss %s\n", row->cli);
        print_sentences(row->documentation);
        write_synopsis(row);
        write_options(row);
    }
}

/* The words that a statement of the configuration syntax takes: all fields of its action but those
 * that are for one moment only, which line.c refuses. */
static void write_statement_items(const struct action_row *row)
{
    puts(".Bl -tag -width Ds");
    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        if (line_refuses(field->name))
            continue;
        printf(".It Cm %s", field->name);
        if (type_row(field->type)->metavariable[0])
            printf(" Ar %s", type_row(field->type)->metavariable);
        putchar('\n');
        if (field_is_required(field))
            puts("Required.");
        print_sentences(field->documentation);
    }
    puts(".El");
}

void write_route_items(void)
{
    write_statement_items(action_row(ACTION_ADD_MFC));
}

void write_join_section(void)
{
    enum action action = action_find("ADD_JOIN");

    if (action == ACTION_COUNT)
        return;
    puts(
        ".Ss join NAME VALUE ...\n"
        "A group that the host joins on an interface, so that switches and other routers send its\n"
        "packets there.");
    write_statement_items(action_row(action));
}

void write_error_items(void)
{
    puts(".Bl -tag -width unknown-action");
#define E(name, word, meaning)                                                                     \
    puts(".It Cm " word);                                                                          \
    print_sentences(meaning);
    ERRORS(E)
#undef E
    puts(".El");
}

/* Whether an action before this one has its verb. */
static bool is_told(enum action action)
{
    for (enum action before = 0; before < action; before++)
        if (strcmp(action_row(before)->policy, action_row(action)->policy) == 0)
            return true;
    return false;
}

static void write_verb_commands(const char *verb)
{
    const struct action_row *row;
    const char *comma = "";

    for (size_t i = 0; (row = command_at(i).row); i++) {
        if (strcmp(row->policy, verb) != 0)
            continue;
        printf("%s.Cm %s", comma, row->cli);
        comma = " ,\n";
    }
    putchar('\n');
}

void write_verb_items(void)
{
    puts(".Bl -tag -width service.write");
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (!is_told(action)) {
            printf(".It Cm %s\n", action_row(action)->policy);
            write_verb_commands(action_row(action)->policy);
        }
    puts(".El");
}
