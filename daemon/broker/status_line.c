#include "status_line.h"

#include "services.h"
#include "state.h"

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

void status_line_format(const struct services *services, char *text, size_t size)
{
    const struct file_mistakes *mistakes = &services->mistakes;
    size_t routes = mroute_totals(services->mroute).routes, sessions = services->sessions.count;
    size_t joins = joins_totals(services->joins).joins;
    size_t count = file_mistakes_count(mistakes);
    int used;

    used = snprintf(text, size, "%s; %zu route%s, %zu join%s, %zu connection%s",
                    services->policy.closed ? "Serving root only" : "Serving", routes,
                    plural(routes), joins, plural(joins), sessions, plural(sessions));
    if (services->state && state_problem(services->state) && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, "; the state file cannot be written");
    if (count > 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, "; %zu mistake%s, the first: ", count,
                         plural(count));
    if (count > 0 && (size_t)used < size)
        append_escaped(text, size, (size_t)used, file_mistakes_first(mistakes));
}
