#include "thresholds.h"

#include <string.h>

/* How many bytes of a name say all: a pattern's "+" is none of them. */
static size_t stem_length(const char *name, bool *ret_pattern)
{
    size_t length = strlen(name);

    *ret_pattern = length > 0 && name[length - 1] == '+';
    return *ret_pattern ? length - 1 : length;
}

/* Whether each interface that the name may mean is one of the pattern. */
static bool pattern_has(const char *pattern, const char *name)
{
    bool is_pattern, unused;
    size_t length = stem_length(pattern, &is_pattern);

    return is_pattern && length <= stem_length(name, &unused) && memcmp(pattern, name, length) == 0;
}

uint32_t thresholds_find(const struct thresholds *thresholds, const char *name)
{
    const struct threshold *best = NULL;

    for (uint32_t i = 0; i < thresholds->count; i++) {
        const struct threshold *entry = &thresholds->entries[i];

        if (strcmp(entry->name.text, name) == 0)
            return entry->ttl;
        if (pattern_has(entry->name.text, name) &&
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
