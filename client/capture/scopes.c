#include "scopes.h"

#include "bounds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

const char *scope_types_text(const struct nb_value *types, char *text, size_t size)
{
    const struct nb_value *type = nb_value_first(types);

    text[0] = '\0';
    for (unsigned i = 0; type && i < ETHERTYPES_MAX; i++, type = nb_value_next(type))
        append(text, size, "%s%s", i ? "," : "", nb_value_string(type));
    return text;
}

static void append_scope(char text[SCOPES_TEXT_MAX], const struct nb_value *scope)
{
    const struct nb_value *types = nb_value_get(scope, "ethertypes");
    const struct nb_value *except = nb_value_get(scope, "except");
    const char *direction = nb_value_string(nb_value_get(scope, "direction"));
    char list[ETHERTYPES_MAX * 8];

    append(text, SCOPES_TEXT_MAX, "%s%s", text[0] ? "; " : "", types ? "" : "all");
    append(text, SCOPES_TEXT_MAX, "%s%s", except ? " but " : "",
           scope_types_text(types ? types : except, list, sizeof list));
    if (strcmp(direction, "both") != 0)
        append(text, SCOPES_TEXT_MAX, " (%s)", direction);
    if (!nb_value_bool(nb_value_get(scope, "promiscuous")))
        append(text, SCOPES_TEXT_MAX, " (to this host)");
}

const char *scopes_text(const struct nb_value *scopes, char text[SCOPES_TEXT_MAX])
{
    text[0] = '\0';
    for (const struct nb_value *scope = nb_value_first(scopes); scope; scope = nb_value_next(scope))
        append_scope(text, scope);
    return text;
}
