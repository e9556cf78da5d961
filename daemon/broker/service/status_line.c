#include "status_line.h"

#include "broker/state/state.h"
#include "broker/wire/services.h"

#include <stdarg.h>
#include <stdio.h>

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void append_escaped(char *text, size_t size, size_t used, const char *more)
{
    for (; *more; more++) {
        unsigned char byte = (unsigned char)*more;
        bool plain = byte >= 0x20 && byte < 0x7f;
        size_t need = plain ? 1 : 4;

        if (used + need >= size)
            return;
        snprintf(text + used, size - used, plain ? "%c" : "\\x%02x", byte);
        used += need;
    }
}

/* Appends what fits. */
static void append(char *text, size_t size, size_t *used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void append(char *text, size_t size, size_t *used, const char *format, ...)
{
    va_list arguments;

    if (*used >= size)
        return;
    va_start(arguments, format);
    *used += (size_t)vsnprintf(text + *used, size - *used, format, arguments);
    va_end(arguments);
}

void status_line_format(const struct services *services, char *text, size_t size)
{
    const struct file_mistakes *mistakes = &services->mistakes;
    size_t sessions = services->sessions.count, used = 0;
    size_t mistake_count = file_mistakes_count(mistakes);

    append(text, size, &used, "%s; ", services->policy.closed ? "Serving root only" : "Serving");
    for (size_t i = 0; kinds[i]; i++) {
        size_t count = kinds[i]->count(kind_self(&services->kinds, kinds[i]));

        append(text, size, &used, "%zu %s%s, ", count, kinds[i]->noun, plural(count));
    }
    append(text, size, &used, "%zu connection%s", sessions, plural(sessions));
    if (services->state && state_facts(services->state).file_problem)
        append(text, size, &used, "; the state file cannot be written");
    if (services->state && state_facts(services->state).journal_problem)
        append(text, size, &used, "; the journal is not written");
    if (mistake_count == 0)
        return;
    append(text, size, &used, "; %zu mistake%s, the first: ", mistake_count, plural(mistake_count));
    append_escaped(text, size, used, file_mistakes_first(mistakes));
}
