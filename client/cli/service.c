/* How replies about the service are shown: status, ping, describe, doctor. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_payload(const struct nb_reply *reply)
{
    const struct nb_value *payload = nb_reply_payload(reply);
    char *line = payload ? safe_json(payload) : NULL;

    puts(line ? line : "{}");
    free(line);
}

void print_message(const struct nb_reply *reply)
{
    print_safe(stdout, nb_reply_message(reply));
    putchar('\n');
}

void print_tap(const struct nb_reply *reply)
{
    const struct nb_value *tap = nb_reply_payload(reply);

    print_safe(stdout, nb_reply_message(reply));
    printf_safe(" Its address is %s", member_text(tap, "mac"));
    printf(", its MTU %" PRId64 ".\n", member_number(tap, "mtu"));
}

static void print_beginning(const char *message, size_t length, const char *behind)
{
    char *beginning = strndup(message, length);

    print_safe(stdout, beginning ? beginning : "");
    fputs(behind, stdout);
    free(beginning);
}

/* The service's message on an addition is the same whatever became of it, because programs compare
 * it; people are told by its result. */
void print_addition(const struct nb_reply *reply)
{
    static const char added[] = " added.";
    const struct nb_value *payload = nb_reply_payload(reply);
    const char *message = nb_reply_message(reply);
    const char *result = member_text(payload, "result");
    const char *note = member_text(payload, "note");
    size_t length = strlen(message), tail = strlen(added);

    if (length < tail || strcmp(message + length - tail, added) != 0)
        printf_safe("%s\n", message); /* of a dry run */
    else if (strcmp(result, "unchanged") == 0)
        print_beginning(message, length - tail, " exists already; unchanged.\n");
    else {
        print_beginning(message, length - tail, " ");
        printf_safe("%s.\n", result[0] ? result : "added");
    }
    if (note[0])
        printf_safe("%s\n", note);
}

/* Objects and lists are shown one level deeper, by name. */
static void print_tree(const struct nb_value *value, int indent)
{
    for (const struct nb_value *member = nb_value_first(value); member;
         member = nb_value_next(member)) {
        const struct nb_value *inner = nb_value_first(member);
        char *line = inner ? NULL : safe_json(member);
        const char *string = nb_value_string(member);

        printf("%*s", indent, "");
        print_safe(stdout, nb_value_key(member));
        fputs(nb_value_key(member)[0] ? ":" : "-", stdout);
        if (!inner) {
            putchar(' ');
            print_safe(stdout, string[0] ? string : line ? line : "");
        }
        putchar('\n');
        free(line);
        print_tree(inner ? member : NULL, indent + 2);
    }
}

void print_status(const struct nb_reply *reply)
{
    print_tree(nb_reply_payload(reply), 0);
}

void print_schema(const struct nb_reply *reply)
{
    char *line = safe_json(nb_reply_payload(reply));

    puts(line ? line : "");
    free(line);
}

void print_metrics(const struct nb_reply *reply)
{
    print_safe_lines(stdout, member_text(nb_reply_payload(reply), "text"));
}

enum { VERDICT_WIDTH = 9 };

/* A message is wrapped for people; a hint is not, so that it can be copied. */
static void print_finding(const struct nb_value *finding, size_t width)
{
    const char *hint = member_text(finding, "hint");

    printf_safe("%-8s ", member_text(finding, "verdict"));
    print_wrapped(member_text(finding, "message"), VERDICT_WIDTH, width);
    if (hint[0])
        printf_safe("         -> %s\n", hint);
}

void print_findings(const struct nb_reply *reply)
{
    const struct nb_value *finding =
        nb_value_first(nb_value_get(nb_reply_payload(reply), "findings"));

    size_t terminal = terminal_width(), width = terminal ? terminal : SIZE_MAX;

    for (; finding; finding = nb_value_next(finding))
        print_finding(finding, width);
    putchar('\n');
    print_wrapped(member_text(nb_reply_payload(reply), "summary"), 0, width);
}

int judge_findings(const struct nb_reply *reply)
{
    const struct nb_value *finding =
        nb_value_first(nb_value_get(nb_reply_payload(reply), "findings"));

    for (; finding; finding = nb_value_next(finding))
        if (strcmp(member_text(finding, "verdict"), "problem") == 0)
            return EXIT_NEGATIVE;
    return EXIT_DONE;
}

int judge_decision(const struct nb_reply *reply)
{
    return nb_value_bool(nb_value_get(nb_reply_payload(reply), "allowed")) ? EXIT_DONE
                                                                           : EXIT_NEGATIVE;
}
