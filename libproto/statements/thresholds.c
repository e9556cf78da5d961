#include "thresholds.h"

#include "decode.h"

#include <string.h>

uint32_t thresholds_find(const struct thresholds *thresholds, const char *name)
{
    const struct threshold *best = NULL;

    for (uint32_t i = 0; i < thresholds->count; i++) {
        const struct threshold *entry = &thresholds->entries[i];

        if (strcmp(entry->name.text, name) == 0)
            return entry->ttl;
        if (interface_name_is_pattern(entry->name.text) &&
            interface_pattern_has(entry->name.text, name) &&
            (!best || strlen(best->name.text) < strlen(entry->name.text)))
            best = entry;
    }
    return best ? best->ttl : 1;
}

bool thresholds_set(struct thresholds *thresholds, const struct threshold *threshold)
{
    for (uint32_t i = 0; i < thresholds->count; i++)
        if (strcmp(thresholds->entries[i].name.text, threshold->name.text) == 0) {
            thresholds->entries[i] = *threshold;
            return true;
        }
    if (thresholds->count == THRESHOLDS_MAX)
        return false;
    thresholds->entries[thresholds->count++] = *threshold;
    return true;
}
