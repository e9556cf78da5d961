/* The log: one line an event, to standard error or, in the background, to syslog. Under systemd
 * (JOURNAL_STREAM is set) each line carries its level the way sd-daemon(3) describes. */
#ifndef NB_LOG_H
#define NB_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* The level up to which lines are written: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG.
 */
void log_set_level(int level);

/* From now on to syslog; the standard streams are the terminal's and are let go. */
void log_to_syslog(void);

/* "error", "warning", "notice", "info" or "debug"; -1 for any other word. */
int log_level_parse(const char *word);

/* Writes one line. Control bytes in it are replaced, so that no text of a client forges a line. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
