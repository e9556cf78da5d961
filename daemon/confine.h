/* The cage, filled with what the configuration says that the service needs. */
#ifndef NB_CONFINE_H
#define NB_CONFINE_H

#include "config.h"
#include "platform/sandbox.h"

/* Confine this process, and tell in the log what the system has not. False: something is missing,
 * and the administrator wants none of it to be. */
bool confine_keeper(const struct config *config, bool made_socket, struct sandbox_report *ret);
bool confine_broker(const struct config *config, struct sandbox_report *ret);

#endif
