/* Changes of what is wanted that count together or not at all, whatever happens to the broker:
 * those of a request, or of a set. Begins as {0}; leases_use says which one is in use. */
#ifndef NB_TRANSACTION_H
#define NB_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

struct transaction {
    uint64_t number; /* in the journal; 0: nothing was written */
    size_t changes;  /* that leases tell of */
};

#endif
