/* The part of a route that replies, events and the state file write alike. */
#ifndef NB_ROUTE_JSON_H
#define NB_ROUTE_JSON_H

#include "json.h"
#include "mroute.h"

/* Adds the members source, group and iif, oifs, and, for IPv4, ttls to the open object. */
void route_json_write(struct json *json, const struct route_view *view);

#endif
