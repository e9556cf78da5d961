/* Injectors as a kind of resource. */
#ifndef NB_INJECT_KIND_H
#define NB_INJECT_KIND_H

#include "broker/wire/call.h"
#include "injectors.h"

struct injectors_kind {
    struct resource_host host;
    struct injectors injectors;
    uv_async_t async; /* rung by threads; only where there is a loop */
};

struct injectors *injectors_of(const struct call *call);

/* Tells of what happened to an injector. */
void publish_injector(struct events *events, enum injector_event event,
                      const struct injector *injector);

/* Its fields of OPEN_INJECT. */
void write_injector_config(struct json *out, const struct injector_config *config);

/* The injector of that number. NULL: *error says that there is none. */
struct injector *find_injector(const struct injectors *injectors, uint32_t number,
                               struct error *error);

#endif
