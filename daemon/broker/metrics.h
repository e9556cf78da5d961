/* Prometheus' text format, version 0.0.4: metrics, and the lines that they are made of. */
#ifndef NB_METRICS_H
#define NB_METRICS_H

#include "bounds.h"
#include "json.h"

#include <stdint.h>

/* Of the longest name, if all of it is escaped. */
enum { METRIC_LABEL_SIZE = 5 * INTERFACE_NAME_MAX + 1 };

void metric_line(struct json *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The two lines before the samples. A counter's name ends in _total. */
void metric_head(struct json *out, const char *name, const char *help);

/* A metric of one sample. */
void metric_number(struct json *out, const char *name, const char *help, uint64_t value);

/* The name of an interface as a label's value. The kernel lets it have nearly any bytes; what is no
 * UTF-8 is written as \xff, so that two names stay two. */
const char *metric_label(const char *name, char text[METRIC_LABEL_SIZE]);

#endif
