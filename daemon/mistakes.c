#include "mistakes.h"

#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void mistakes_add(struct mistakes *mistakes, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line(LOG_ERR, "%s", text);
    if (mistakes->count < MISTAKES_KEPT)
        snprintf(mistakes->texts[mistakes->count], sizeof mistakes->texts[0], "%.*s",
                 MISTAKE_LENGTH_MAX, text);
    mistakes->count++;
}

size_t mistakes_kept(const struct mistakes *mistakes)
{
    return mistakes->count < MISTAKES_KEPT ? mistakes->count : MISTAKES_KEPT;
}

size_t file_mistakes_count(const struct file_mistakes *mistakes)
{
    return mistakes->configuration.count + mistakes->policy.count + mistakes->multicast.count;
}

const char *file_mistakes_first(const struct file_mistakes *mistakes)
{
    if (mistakes->policy.count)
        return mistakes->policy.texts[0];
    if (mistakes->configuration.count)
        return mistakes->configuration.texts[0];
    return mistakes->multicast.count ? mistakes->multicast.texts[0] : NULL;
}
