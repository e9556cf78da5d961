#include "resource.h"

static size_t place_of(const struct resource_ops *ops)
{
    size_t i = 0;

    while (kinds[i] != ops)
        i++;
    return i;
}

void *kind_self(const struct kind_selves *selves, const struct resource_ops *ops)
{
    return selves->list[place_of(ops)];
}

void kind_set_self(struct kind_selves *selves, const struct resource_ops *ops, void *self)
{
    selves->list[place_of(ops)] = self;
}

/* Each request asks: without calls, most kinds are known to be another's by the first letter. */
static bool has_verb(const struct resource_ops *kind, const char *verb)
{
    const char *begin = kind->verbs;

    while (*begin && *begin == *verb)
        begin++, verb++;
    return !*begin && (!*verb || *verb == '.');
}

const struct resource_ops *kind_of_verb(const char *verb)
{
    for (size_t i = 0; kinds[i]; i++)
        if (has_verb(kinds[i], verb))
            return kinds[i];
    return NULL;
}
