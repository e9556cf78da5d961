/* The log: one line an event, to standard error or, in the background, to syslog. Under systemd
 * (JOURNAL_STREAM is set) each line carries its level the way sd-daemon(3) describes. */
#ifndef NB_LOG_H
#define NB_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* The level up to which lines are written: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG.
 */
void log_set_level(int level);

/* Connects to syslogd, and again where it may be another one than before: the processes that come
 * after share the connection. Does nothing where the log does not go there. */
void log_connect(void);

/* A socket to journald, which takes fields as a datagram of lines, see
 * systemd.io/JOURNAL_NATIVE_PROTOCOL; -1: this is no service of systemd. */
int log_connect_journal(void);

/* log_connect will connect: this process goes to the background. */
void log_want_syslog(void);

/* From now on to syslog; the standard streams are /dev/null. */
void log_to_syslog(void);

/* "error", "warning", "notice", "info" or "debug"; -1 for any other word. */
int log_level_parse(const char *word);

/* Writes one line. Control bytes in it are replaced, so that no text of a client forges a line. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
