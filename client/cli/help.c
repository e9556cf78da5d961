/* Help, made from the action table. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_WIDTH = 79, COMMAND_WIDTH = 22, USAGE_WIDTH = 17 };

const char *option_name(const struct field *field, char *text, size_t size)
{
    snprintf(text, size, "--%s", field->name);
    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = '-';
    return text;
}

const char *option_title(const struct field *field, char *text, size_t size)
{
    return option_is_argument(field) ? argument_name(field, text, size)
                                     : option_name(field, text, size);
}

const char *usage_form(const struct action_row *row, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", row->cli);
    bool optional = false, command = false;
    char name[64];

    for (size_t i = 0; i < row->field_count && used < size; i++) {
        const struct field *field = &row->fields[i];

        option_title(field, name, sizeof name);
        command = command || option_is_command(field);
        if (option_is_command(field))
            continue;
        if (option_is_argument(field))
            used += (size_t)snprintf(text + used, size - used,
                                     field->need == ARGUMENT ? " %s" : " [%s]", name);
        else if (field->need == REQUIRED)
            used += (size_t)snprintf(text + used, size - used, " %s %s", name,
                                     option_metavariable(field));
        else
            optional = true;
    }
    if (used < size)
        snprintf(text + used, size - used, "%s%s", optional ? " [OPTION...]" : "",
                 command ? " -- COMMAND [ARGUMENT...]" : "");
    return text;
}

/* The bytes of a text up to the end of its first sentence. */
static int first_sentence(const char *text)
{
    const char *end = strstr(text, ". ");

    return (int)(end ? (size_t)(end - text) + 1 : strlen(text));
}

static void print_command(const struct action_row *row)
{
    char sentence[256];

    snprintf(sentence, sizeof sentence, "%.*s", first_sentence(row->documentation),
             row->documentation);
    printf("  %-*s", COMMAND_WIDTH - 2, row->cli);
    print_wrapped(sentence, COMMAND_WIDTH, TEXT_WIDTH);
}

void help_print(void)
{
    const struct action_row *row;

    puts("Usage: netbroker [OPTION...] COMMAND [OPTION...]\n"
         "       netbroker help [COMMAND]\n"
         "Ask netbrokerd to do what needs privileges; see netbroker(1).\n"
         "\n"
         "Commands:");
    for (size_t i = 0; (row = command_at(i).row); i++)
        print_command(row);
    puts("\n"
         "Options of every command:\n"
         "  --socket PATH      the service's socket ($NETBROKER_SOCKET, else the default)\n"
         "  --timeout SECONDS  how long to wait for a reply (default 10)\n"
         "  --json             print the reply's payload, and errors, as JSON\n"
         "  --help             this text, or, after a command, its options\n"
         "  --version          print the version");
}

void help_print_family(const char *family)
{
    const struct action_row *row;

    printf("Usage: netbroker %s COMMAND [OPTION...]\n\nCommands:\n", family);
    for (size_t i = 0; (row = command_at(i).row); i++)
        if (verb_of(row->cli, family))
            print_command(row);
    printf("\nTry 'netbroker help %s COMMAND' for the options of one.\n", family);
}

static void print_option(const struct action_row *row, const struct field *field)
{
    const char *value = option_is_argument(field) ? "" : option_metavariable(field);
    char name[64];

    printf("  %s%s%s", option_title(field, name, sizeof name), value[0] ? " " : "", value);
    if (field_is_required(field))
        printf("  (required)");
    else if (option_has_default(field))
        printf("  (default %u)", field->fallback);
    printf("\n      ");
    print_wrapped(option_documentation(row, field), 6, TEXT_WIDTH);
}

void help_print_command(const struct action_row *row)
{
    char form[512];

    fputs("Usage: netbroker ", stdout);
    print_wrapped(usage_form(row, form, sizeof form), USAGE_WIDTH, TEXT_WIDTH);
    print_wrapped(row->documentation, 0, TEXT_WIDTH);
    if (row->field_count)
        puts("\nOptions:");
    for (size_t i = 0; i < row->field_count; i++)
        print_option(row, &row->fields[i]);
}
