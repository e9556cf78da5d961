/* What follows for the service when a lease begins or ends: it is counted for its user, the end is
 * recorded in the audit log, and what is wanted is kept. */
#ifndef NB_LEASING_H
#define NB_LEASING_H

#include "broker/lease.h"

struct services;

/* Makes services->leases. */
void leasing_start(struct services *services);

#endif
