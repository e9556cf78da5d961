/* Taps as a kind of resource. */
#ifndef NB_TAP_KIND_H
#define NB_TAP_KIND_H

#include "broker/wire/call.h"
#include "taps.h"

struct tap_kind {
    struct resource_host host;
    struct taps taps;
    char chosen[INTERFACE_NAME_MAX + 1]; /* for the policy: what the request would be given */
};

struct taps *taps_of(const struct call *call);

/* A second has passed: refuses the requests that have waited long for the end of an interface. */
void refuse_impatient(struct taps *taps);

/* Tells of what happened to a tap. */
void publish_tap(struct events *events, enum tap_event event, const struct tap *tap);

/* The same of a client of a relay; why: it is gone, or "". */
void publish_link(struct events *events, enum link_event event, const struct told *told,
                  const char *why);

/* Its fields of OPEN_TAP. */
void write_tap_config(struct json *out, const struct tap_config *config);

/* The tap of that name, unless it is closing. NULL: *error says so. */
struct tap *find_open_tap(const struct taps *taps, const char *name, struct error *error);

/* The same of one that the peer may be told of: another's is as good as none. */
struct tap *find_readable_tap(const struct call *call, const char *name, struct error *error);

#endif
