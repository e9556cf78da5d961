/* Captures as a kind of resource. */
#ifndef NB_CAPTURE_KIND_H
#define NB_CAPTURE_KIND_H

#include "broker/wire/call.h"
#include "captures.h"

struct captures_kind {
    struct resource_host host;
    struct captures captures;
    uv_async_t async; /* rung by threads; only where there is a loop */
};

struct captures *captures_of(const struct call *call);

/* Tells of what happened to a capture. */
void publish_capture(struct events *events, enum capture_event event,
                     const struct capture *capture);

/* Its fields of OPEN_CAPTURE. */
void write_capture_config(struct json *out, const struct capture_config *config);

/* The capture of that number. NULL: *error says that there is none. */
struct capture *find_capture(const struct captures *captures, uint32_t number, struct error *error);

#endif
