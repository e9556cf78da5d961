#include "log_capture.h"

#include "suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void log_capture_begin(struct log_capture *capture)
{
    unsetenv("JOURNAL_STREAM"); /* else a line has another form */
    capture->text[0] = '\0';
    capture->kept = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe2(capture->pair, O_NONBLOCK | O_CLOEXEC), 0);
    dup2(capture->pair[1], STDERR_FILENO);
}

void log_capture_end(struct log_capture *capture)
{
    size_t used = 0;
    ssize_t length;

    dup2(capture->kept, STDERR_FILENO);
    while (used < sizeof capture->text - 1 && (length = read(capture->pair[0], capture->text + used,
                                                             sizeof capture->text - 1 - used)) > 0)
        used += (size_t)length;
    capture->text[used] = '\0';
    close(capture->kept);
    close(capture->pair[0]);
    close(capture->pair[1]);
}

void assert_logged(const struct log_capture *capture, const char *part)
{
    ck_assert_msg(strstr(capture->text, part) != NULL, "no '%s' in the log: %.2000s", part,
                  capture->text);
}

void assert_not_logged(const struct log_capture *capture, const char *part)
{
    ck_assert_msg(strstr(capture->text, part) == NULL, "'%s' in the log: %.2000s", part,
                  capture->text);
}

unsigned log_count(const struct log_capture *capture, const char *part)
{
    unsigned count = 0;

    for (const char *at = capture->text; (at = strstr(at, part)); at += strcspn(at, "\n"))
        count++;
    return count;
}
