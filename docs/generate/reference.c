/* The protocol reference in Markdown: a section for each action, a row for each error. */
#include "generate.h"

#include "decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Fields -------------------------------------------------------------------------------- */

static void write_need(const struct field *field)
{
    if (field_is_required(field))
        fputs("required", stdout);
    else if (field->type == FIELD_flag)
        fputs("default `false`", stdout);
    else if (field->fallback && type_row(field->type)->json == JSON_INTEGER)
        printf("default `%u`", field->fallback);
    else
        fputs("optional", stdout);
}

static void write_fields(const struct action_row *row)
{
    if (row->field_count == 0) {
        puts("This action has no fields; `payload` may be missing or empty.\n");
        return;
    }
    puts("| field | type and limits | need | meaning |\n| --- | --- | --- | --- |");
    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        printf("| `%s` | ", field->name);
        printf(type_row(field->type)->limits, field->low, field->high);
        fputs(" | ", stdout);
        write_need(field);
        fputs(" | ", stdout);
        print_escaped(field->documentation, "*|<", "\\");
        puts(" |");
    }
    putchar('\n');
}

/* --- Examples ------------------------------------------------------------------------------ */

/* JSON text, by type; NULL: an example can do without a field of it. */
static const char *const examples[FIELD_TYPE_COUNT] = {
    [FIELD_address] = "\"10.0.1.10\"",
    [FIELD_source] = "\"10.0.1.10\"",
    [FIELD_group] = "\"239.10.20.30\"",
    [FIELD_interface] = "\"eth0\"",
    [FIELD_interfaces] = "[\"eth1\", \"eth2\"]",
    [FIELD_word] = "\"ADD_MFC\"",
    [FIELD_hosts] = "[\"192.168.0.1/24\"]",
    [FIELD_ethertypes] = "[\"0x88ba\"]",
    [FIELD_prefixes] = NULL, /* a network of the service's settings */
    [FIELD_mac] = "\"52:54:00:12:34:56\"",
    [FIELD_topics] = "[\"mfc.*\"]",
};

static const char *example_value(const struct action_row *row, const struct field *field)
{
    /* The names of taps begin so; a port of a bridge has no address. */
    if (strcmp(row->policy, "tap.write") == 0 && field->type == FIELD_interface)
        return strcmp(field->name, "bridge") != 0 ? "\"nb-dolphin\"" : NULL;
    if (field->type == FIELD_number && field_is_required(field))
        return "1";
    /* DIAGNOSE takes any address as its group, to say what is wrong with it. */
    if (strcmp(field->name, "group") == 0)
        return examples[FIELD_group];
    if (field->type == FIELD_number && field_is_required(field))
        return "1";
    return examples[field->type];
}

static void write_request(FILE *file, const struct action_row *row)
{
    bool payload = false;

    fprintf(file, "{\"action\": \"%s\"", row->name);
    for (size_t i = 0; i < row->field_count; i++) {
        const char *value = example_value(row, &row->fields[i]);

        if (!value)
            continue;
        fprintf(file, "%s\"%s\": %s", payload ? ", " : ", \"payload\": {", row->fields[i].name,
                value);
        payload = true;
    }
    fputs(payload ? "}}" : "}", file);
}

static void write_example(const struct action_row *row)
{
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    struct request request;
    struct error error;

    if (!file)
        abort();
    write_request(file, row);
    fclose(file);
    if (!decode_request(text, length, &request, &error)) {
        fprintf(stderr, "The example of %s is refused: %s\n", row->name, error.message);
        exit(EXIT_FAILURE);
    }
    printf("```json\n%s\n```\n\n", text);
    free(text);
}

void write_action_sections(void)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        const struct action_row *row = action_row(action);

        printf("### %s\n\n%s\n\n", row->name, row->documentation);
        if (row->cli[0])
            printf("Command: `netbroker %s`. ", row->cli);
        printf("Policy verb: `%s`.", row->policy);
        if (row->takes[0])
            printf(" Descriptors in the request: `%s`.", row->takes);
        if (row->fds[0])
            printf(" Descriptors in the reply: `%s`.", row->fds);
        puts("\n");
        write_fields(row);
        write_example(row);
    }
}

/* --- Errors -------------------------------------------------------------------------------- */

void write_error_rows(void)
{
    puts("| code | meaning |\n| --- | --- |");
#define E(name, word, meaning) puts("| `" word "` | " meaning " |");
    ERRORS(E)
#undef E
}
