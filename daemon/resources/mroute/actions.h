/* What the files of the actions on routes share. */
#ifndef NB_MROUTE_ACTIONS_H
#define NB_MROUTE_ACTIONS_H

#include "broker/wire/pending.h"
#include "kind.h"

/* Writes a route as one JSON object: how SHOW, SHOW_MFC and the events tell of it. */
void write_route(struct json *json, const struct route_view *view);

/* The same with what becomes of it, e.g. "deleted". */
void write_change(struct json *json, const char *change, const struct route *route);

/* Begins the reply "MFC entry for (S, G) DONE." with the member `result`; end it with reply_close.
 */
struct json *reply_open_entry(struct call *call, const struct prefix *source,
                              const struct prefix *group, const char *done, const char *result);

/* Replies how many routes a FLUSH_MFC deleted, and how many the user gave up that others hold. */
void reply_flushed(struct call *call, size_t count, size_t kept, bool dry_run);

/* Begins a FLUSH_MFC of what its user holds, as a set without routes that replaces what the user
 * holds. False: no memory. */
bool begin_own_flush(struct call *call, const struct args_flush_mfc *args);

/* ADD_MFC while the session collects a set. */
void stage_route(struct call *call, const struct args_add_mfc *args);

/* How replies call a route's state, by enum route_state. */
extern const char *const route_state_words[];

#endif
