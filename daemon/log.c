#include "log.h"

#include "descriptors.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *word;
    int level;
} levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

/* The log is all that modules share without being handed it. */
static struct {
    int level;
    bool to_syslog;
    int socket; /* to syslogd; -1: none is wanted */
} state = {LOG_INFO, false, -1};

void log_set_level(int level)
{
    state.level = level;
}

/* --- Sockets ------------------------------------------------------------------------------- */

/* A datagram socket that is connected may be connected again, for all that share it. */
void log_connect(void)
{
    static const struct sockaddr_un syslogd = {AF_UNIX, "/dev/log"};

    if (state.socket >= 0)
        (void)connect(state.socket, (const struct sockaddr *)&syslogd, sizeof syslogd);
}

/* No broker shuts it: it has a low number (descriptors.h). */
void log_want_syslog(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    state.socket = fd < 0 ? -1 : descriptor_settle(fd, DESCRIPTOR_LOG);
    log_connect();
}

int log_connect_journal(void)
{
    static const struct sockaddr_un journal = {AF_UNIX, "/run/systemd/journal/socket"};
    int fd = getenv("JOURNAL_STREAM") ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&journal, sizeof journal) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* As syslog(3) writes it. A broker may not connect again; the keeper does so now and then. */
static void write_syslog(int level, const char *line)
{
    char text[640], date[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    int length;

    if (localtime_r(&now, &parts))
        strftime(date, sizeof date, "%b %e %H:%M:%S", &parts);
    length = snprintf(text, sizeof text, "<%d>%s netbrokerd[%d]: %s", LOG_DAEMON | level, date,
                      (int)getpid(), line);
    if (send(state.socket, text, (size_t)length, MSG_NOSIGNAL) >= 0)
        return;
    log_connect();
    send(state.socket, text, (size_t)length, MSG_NOSIGNAL);
}

/* --- Lines --------------------------------------------------------------------------------- */

void log_to_syslog(void)
{
    int null = open("/dev/null", O_RDWR);

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
        write_syslog(level, line);
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
