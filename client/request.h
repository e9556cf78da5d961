/* What the library itself does with a request. */
#ifndef NB_REQUEST_H
#define NB_REQUEST_H

#include "json.h"
#include "netbroker.h"

/* Appends the request's text to out. Returns 0, -ENOMEM or -EMSGSIZE. */
int request_append(const struct nb_request *request, struct json *out);

#endif
