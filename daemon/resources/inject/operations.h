/* The keeper's part of injectors: its row of keeper/table.h names these functions. */
#ifndef NB_INJECT_OPERATIONS_H
#define NB_INJECT_OPERATIONS_H

#include "platform/injection.h"
#include "platform/packets.h"

#endif
