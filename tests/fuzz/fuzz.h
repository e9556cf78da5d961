/* What every fuzz target begins with. */
#ifndef NB_FUZZ_H
#define NB_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Ends the run where something that must hold does not. */
static inline void must(int leases, const char *what)
{
    if (leases)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

#endif
