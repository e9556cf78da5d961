#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const words[] = {[ERROR_NONE] = "none",
#define E(name, word, meaning) [ERROR_##name] = word,
                                    ERRORS(E)
#undef E
};
_Static_assert(sizeof words / sizeof *words == ERROR_CODES, "each code has a word");

const char *error_word(enum error_code code)
{
    return words[code];
}

bool error_set(struct error *error, enum error_code code, const char *field, const char *format,
               ...)
{
    va_list arguments;

    error->code = code;
    snprintf(error->field, sizeof error->field, "%s", field ? field : "");
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}
