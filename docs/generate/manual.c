/* Parts of the manual pages, in mdoc(7): a subsection for each command, an item for each error. */
#include "generate.h"

#include "error.h"

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

/* "Fl -source Ar ADDRESS" */
static void print_option(const struct field *field)
{
    fputs("Fl ", stdout);
    for (const char *c = field->name; *c; c++)
        printf("%s%c", c == field->name ? "-" : "", *c == '_' ? '-' : *c);
    if (field_metavariable(field->type)[0])
        printf(" Ar %s", field_metavariable(field->type));
    putchar('\n');
}

static void write_synopsis(const struct action_row *row)
{
    printf(".Pp\n.Nm\n.Cm %s\n", row->cli);
    for (size_t i = 0; i < row->field_count; i++) {
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
        print_sentences(row->fields[i].documentation);
    }
    puts(".El");
}

void write_command_sections(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        const struct action_row *row = action_row(action);

        printf(".Ss %s\n", row->cli);
        print_sentences(row->documentation);
        write_synopsis(row);
        write_options(row);
    }
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
    const char *comma = "";

    for (enum action action = 0; action < ACTION_COUNT; action++) {
        if (strcmp(action_row(action)->policy, verb) != 0)
            continue;
        printf("%s.Cm %s", comma, action_row(action)->cli);
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
