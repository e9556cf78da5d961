/* The configuration syntax: what a line becomes is a valid request of a kind that files may have,
 * it means the same when it is read as JSON again, and a mistake says why. */
#include "fuzz.h"
#include "statements/lines.h"

#include <string.h>

struct counts {
    unsigned statements, mistakes, last;
};

static void read_again(const struct line *line, struct line *ret)
{
    static const struct thresholds none;
    struct error error;

    must(line_read(line->json.text, line->json.length, &none, ret, &error) == LINE_REQUEST,
         "a request is one again");
    must(ret->json.length == line->json.length, "it has the same members");
}

/* Read again, what is implied comes to the end; from then on nothing changes. */
static void check_same(const struct line *line)
{
    struct line second = {0}, third = {0};

    read_again(line, &second);
    read_again(&second, &third);
    must(memcmp(second.json.text, third.json.text, second.json.length) == 0, "it means the same");
    json_clear(&second.json);
    json_clear(&third.json);
}

static bool see_statement(void *context, unsigned number, const struct line *line)
{
    struct counts *counts = context;
    const char *name = action_row(line->request.action)->name;

    must(number > counts->last, "lines come in their order");
    must(strcmp(name, "ADD_MFC") == 0 || strcmp(name, "ADD_JOIN") == 0, "files may have it");
    must(line->json.length <= REQUEST_MAX && !line->json.failed, "it is no longer than a request");
    check_same(line);
    counts->last = number;
    return ++counts->statements < 64;
}

static void see_mistake(void *context, unsigned number, const struct error *error)
{
    struct counts *counts = context;

    must(number > counts->last, "lines come in their order");
    must(error->code != ERROR_NONE && error->message[0], "a mistake is explained");
    counts->last = number;
    counts->mistakes++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct counts counts = {0};
    const struct lines_reader reader = {see_statement, see_mistake, &counts};
    bool whole = lines_read((const char *)bytes, n, &reader);

    must(whole == (counts.mistakes == 0 && counts.statements < 64), "the result says it");
    return 0;
}
