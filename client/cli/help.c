/* Help, made from the action table. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_WIDTH = 79 };

const char *option_name(const struct field *field, char *text, size_t size)
{
    snprintf(text, size, "--%s", field->name);
    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = '-';
    return text;
}

/* Prints text in lines of at most TEXT_WIDTH, each behind indent spaces. */
static void print_wrapped(const char *text, int indent)
{
    int width = TEXT_WIDTH - indent;

    while (*text) {
        int length = (int)strlen(text);

        if (length > width) {
            length = width;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = width;
        }
        printf("%*s%.*s\n", indent, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
}

/* The bytes of a text up to the end of its first sentence. */
static int first_sentence(const char *text)
{
    const char *end = strstr(text, ". ");

    return (int)(end ? (size_t)(end - text) + 1 : strlen(text));
}

void help_print(void)
{
    const struct action_row *row;

    puts("Usage: netbroker [--socket PATH] [--json] COMMAND [OPTION...]\n"
         "Ask netbrokerd to do what needs privileges; see netbroker(1).\n"
         "\n"
         "Commands:");
    for (size_t i = 0; (row = command_at(i).row); i++)
        printf("  %-12s %.*s\n", row->cli, first_sentence(row->documentation), row->documentation);
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

void help_print_command(const struct action_row *row)
{
    printf("Usage: netbroker %s", row->cli);
    print_arguments(row);
    printf("%s\n", row->field_count ? " [OPTION...]" : "");
    print_wrapped(row->documentation, 0);
    if (row->field_count)
        puts("\nOptions:");
    for (size_t i = 0; i < row->field_count; i++) {
        char name[64];

        printf("  %s %s%s\n",
               is_argument(&row->fields[i]) ? row->fields[i].name
                                            : option_name(&row->fields[i], name, sizeof name),
               option_metavariable(&row->fields[i]),
               field_is_required(&row->fields[i]) ? "  (required)" : "");
        print_wrapped(row->fields[i].documentation, 6);
    }
}
