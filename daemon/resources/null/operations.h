/* What the keeper does for nulls: it keeps each by its name. */
#ifndef NB_NULL_OPERATIONS_H
#define NB_NULL_OPERATIONS_H

#include <stdbool.h>

#define NULL_KEPT_PREFIX "null-" /* then its name */

enum {
    NULLS_MAX = 16,
    NULL_NAME_MAX = 31,
};

/* Whether it is a name: a-z, 0-9 and '-'. It need not end within NULL_NAME_MAX bytes. */
bool null_name_is_valid(const char *name);

#endif
