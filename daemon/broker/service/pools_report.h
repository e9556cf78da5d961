/* The pools for STATUS and METRICS: what is in use, of how much, and who has most of it. */
#ifndef NB_POOLS_REPORT_H
#define NB_POOLS_REPORT_H

#include "broker/guard/reader.h"
#include "broker/pool.h"
#include "json.h"

/* Adds the member `pools`, a list. Only those who may do policy.read hear who has most, and of
 * pools whose name tells of a resource. */
void pools_write_status(const struct pools *pools, const struct reader *reader, struct json *out);

/* The same as metrics. */
void pools_write_metrics(const struct pools *pools, const struct reader *reader, struct json *out);

#endif
