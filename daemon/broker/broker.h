/* The broker: the half that talks to clients, and has no privilege. See broker.c. */
#ifndef NB_BROKER_H
#define NB_BROKER_H

#include "keeper/keeper.h"

/* Serves until the keeper says stop or is gone. Returns the exit status. */
int broker_run(const struct broker_start *start);

#endif
