/* From the bytes of one request to its reply.
 *
 * The request is decoded by the action table, and the function of the action is called. It writes
 * one reply, at once; or begins one that goes on in slices (a producer); or waits, and goes on with
 * another function (see pending.h). */
#ifndef NB_DISPATCH_H
#define NB_DISPATCH_H

#include "call.h"

/* Decodes and performs the request of n bytes. Of *call, out, services and session are set. */
enum outcome dispatch_request(struct call *call, const char *bytes, size_t n);

#endif
