/* Prints the words of the protocol as a libFuzzer dictionary: actions, fields, topics and some
 * values of each type, from the action table; and those of the configuration files. */
#include "table.h"

#include <stdio.h>

/* The text as a JSON string; none of it needs an escape but the quotes. */
static void print_string(const char *text)
{
    printf("\"\\\"%s\\\"\"\n", text);
}

static void print_field(const struct field *field)
{
    printf("\"\\\"%s\\\":\"\n\" %s \"\n", field->name, field->name);
    if (type_row(field->type)->json == JSON_INTEGER)
        printf("\"%u\"\n\"%u\"\n", field->low, field->high);
}

static void print_action(const struct action_row *row)
{
    print_string(row->name);
    printf("\"{\\\"action\\\":\\\"%s\\\",\\\"payload\\\":{\"\n", row->name);
    for (size_t i = 0; i < row->field_count; i++)
        print_field(&row->fields[i]);
}

int main(void)
{
    static const char *const values[] = {
        "10.0.0.1", "239.1.1.1", "0.0.0.0", "224.0.0.1",   "fd00::1",    "ff05::1",
        "::",       "ipv4",      "ipv6",    "mfc.*",       "*",          "lost",
        "a",        "b",         "c",       "action",      "payload",    "id",
        "nb-0",     "nb-a",      "tap.*",   "10.0.0.1/24", "fd00::1/64", "52:54:00:12:34:56",
    };
    static const char *const pieces[] = {
        "true", "false", "null", "[]", "{}", "\\\\u0041", "\\\\ud83d\\\\ude00"};
    static const char *const words[] = {
        "route ",     "join ",     "interface ", "phyint ",        "mroute ",
        "mgroup ",    "ssmgroup ", "include ",   "from ",          "to ",
        "enable ",    "disable ",  "mrdisc ",    "ttl-threshold ", "eth+ ",
        "239.1.1.1 ", "ff05::1 ",  "10.0.0.1 ",  "/24 ",           "# ",
    };

    for (enum action action = 0; action < ACTION_COUNT; action++)
        print_action(action_row(action));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        print_string(values[i]);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        printf("\"%s\"\n", pieces[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        printf("\"%s\"\n", words[i]);
    return 0;
}
