/* The multicast routing tables that the service may open at all, as the configuration says. */
#ifndef NB_TABLES_ALLOWED_H
#define NB_TABLES_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_RANGES_MAX = 16 };

struct tables_allowed {
    size_t count; /* 0: any table */
    struct {
        uint32_t first, last; /* both 0: the family's default table */
    } ranges[TABLE_RANGES_MAX];
};

/* Reads "any", or a list like "default, 100-199, 300". False, with *ret as it was, where the text
 * is something else. */
bool tables_allowed_parse(const char *text, struct tables_allowed *ret);

bool table_is_allowed(const struct tables_allowed *allowed, uint8_t family, uint32_t table);

#endif
