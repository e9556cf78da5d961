#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *word;
    int level;
} levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

/* The log is the one thing that all modules share without being handed it. */
static struct {
    int level;
    bool to_syslog;
} state = {LOG_INFO, false};

void log_set_level(int level)
{
    state.level = level;
}

void log_to_syslog(void)
{
    int null = open("/dev/null", O_RDWR);

    openlog("netbrokerd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    state.to_syslog = true;
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

int log_level_parse(const char *word)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].word, word) == 0)
            return levels[i].level;
    return -1;
}

static const char *level_word(int level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (levels[i].level == level)
            return levels[i].word;
    return "error";
}

void log_line(int level, const char *format, ...)
{
    char line[512], whole[600];
    va_list arguments;
    int length;

    if (level > state.level)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    if (state.to_syslog) {
        syslog(level, "%s", line);
        return;
    }
    if (getenv("JOURNAL_STREAM"))
        length = snprintf(whole, sizeof whole, "<%d>%s\n", level, line);
    else
        length = snprintf(whole, sizeof whole, "netbrokerd[%d]: %s: %s\n", (int)getpid(),
                          level_word(level), line);
    /* A log that cannot be written is no reason to stop. */
    if (write(STDERR_FILENO, whole, (size_t)length) < 0)
        return;
}
