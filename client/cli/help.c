/* Help, made from the action table. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_WIDTH = 79, COMMAND_WIDTH = 15 };

const char *option_name(const struct field *field, char *text, size_t size)
{
    snprintf(text, size, "--%s", field->name);
    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = '-';
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
    printf("  %-13s", row->cli);
    print_wrapped(sentence, COMMAND_WIDTH, TEXT_WIDTH);
}

void help_print(void)
{
    const struct action_row *row;

    puts("Usage: netbroker [--socket PATH] [--json] COMMAND [OPTION...]\n"
         "Ask netbrokerd to do what needs privileges; see netbroker(1).\n"
         "\n"
         "Commands:");
    for (size_t i = 0; (row = command_at(i).row); i++)
        print_command(row);
    puts("\n"
         "Options:\n"
         "  --socket PATH  the service's socket ($NETBROKER_SOCKET, else the default)\n"
         "  --json         print the reply's payload as JSON\n"
         "  --help         this text, or, behind a command, its options\n"
         "  --version      print the version");
}

static bool is_argument(const struct field *field)
{
    return field->need == ARGUMENT || field->need == OPTIONAL_ARGUMENT;
}

static void print_arguments(const struct action_row *row)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (is_argument(&row->fields[i]))
            printf(row->fields[i].need == ARGUMENT ? " %s" : " [%s]", row->fields[i].name);
}

static void print_option(const struct field *field)
{
    const char *value = option_metavariable(field);
    char name[64];

    printf("  %s%s%s", is_argument(field) ? field->name : option_name(field, name, sizeof name),
           value[0] ? " " : "", value);
    if (field_is_required(field))
        printf("  (required)");
    else if (field->fallback)
        printf("  (default %u)", field->fallback);
    printf("\n      ");
    print_wrapped(field->documentation, 6, TEXT_WIDTH);
}

void help_print_command(const struct action_row *row)
{
    printf("Usage: netbroker %s", row->cli);
    print_arguments(row);
    printf("%s\n", row->field_count ? " [OPTION...]" : "");
    print_wrapped(row->documentation, 0, TEXT_WIDTH);
    if (row->field_count)
        puts("\nOptions:");
    for (size_t i = 0; i < row->field_count; i++)
        print_option(&row->fields[i]);
}
