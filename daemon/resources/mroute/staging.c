#include "staging.h"

#include <stdlib.h>
#include <string.h>

static void destroy(struct collected *collected)
{
    staging_free((struct staging *)collected);
}

struct staging *staging_new(uint8_t family, uint32_t table)
{
    struct staging *staging = calloc(1, sizeof *staging);

    if (!staging)
        return NULL;
    staging->collected.destroy = destroy;
    STAILQ_INIT(&staging->set);
    staging->filter = (struct mroute_filter){.family = family, .table = table};
    return staging;
}

void staging_free(struct staging *staging)
{
    struct staged *staged;

    while (staging && (staged = STAILQ_FIRST(&staging->set))) {
        STAILQ_REMOVE_HEAD(&staging->set, in_set);
        free(staged);
    }
    free(staging);
}

bool staging_add(struct staging *staging, const struct args_add_mfc *args,
                 const struct lease_info *lease)
{
    size_t size = sizeof(struct staged) + args->oifs.count * sizeof(struct staged_oif);
    struct staged *staged = calloc(1, size);

    if (!staged)
        return false;
    staged->source = args->source;
    staged->group = args->group;
    staged->lease = *lease;
    staged->idle = args->idle;
    staged->table = args->table;
    memcpy(staged->iif, args->iif.text, sizeof staged->iif);
    staged->has_ttls = args->ttls.count > 0;
    staged->oif_count = (uint8_t)args->oifs.count;
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        memcpy(staged->oifs[i].name, args->oifs.names[i].text, sizeof staged->oifs[i].name);
        staged->oifs[i].ttl = staged->has_ttls ? (uint8_t)args->ttls.values[i] : 0;
    }
    STAILQ_INSERT_TAIL(&staging->set, staged, in_set);
    staging->count++;
    staging->collected.bytes += size;
    return true;
}

void staged_unpack(const struct staged *staged, struct args_add_mfc *ret)
{
    *ret = (struct args_add_mfc){
        .source = staged->source,
        .group = staged->group,
        .idle = staged->idle,
        .table = staged->table,
        .wait = true,
    };
    memcpy(ret->iif.text, staged->iif, sizeof staged->iif);
    ret->oifs.count = staged->oif_count;
    ret->ttls.count = staged->has_ttls ? staged->oif_count : 0;
    for (unsigned i = 0; i < staged->oif_count; i++) {
        memcpy(ret->oifs.names[i].text, staged->oifs[i].name, sizeof staged->oifs[i].name);
        ret->ttls.values[i] = staged->oifs[i].ttl;
    }
}
