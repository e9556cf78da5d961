/* What a test makes the service say in its log. */
#ifndef NB_UNIT_LOG_CAPTURE_H
#define NB_UNIT_LOG_CAPTURE_H

struct log_capture {
    int kept, pair[2];
    char text[65536]; /* what was said */
};

/* Standard error goes into the capture from here to log_capture_end. */
void log_capture_begin(struct log_capture *capture);
void log_capture_end(struct log_capture *capture);

/* Asserts that the log has, or has not, this part. */
void assert_logged(const struct log_capture *capture, const char *part);
void assert_not_logged(const struct log_capture *capture, const char *part);

/* How many lines have this part. */
unsigned log_count(const struct log_capture *capture, const char *part);

#endif
