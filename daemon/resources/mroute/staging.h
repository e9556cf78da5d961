/* A set of routes that replaces what its user holds, while it is collected: between BEGIN_REPLACE
 * and COMMIT each ADD_MFC of the session is put aside here. */
#ifndef NB_STAGING_H
#define NB_STAGING_H

#include "broker/wire/call.h"
#include "error.h"
#include "mroute.h"

#include <sys/queue.h>

/* One request, without the room that it does not use. */
struct staged {
    STAILQ_ENTRY(staged) in_set; /* struct staging owns it */
    struct prefix source, group;
    struct lease_info lease; /* that it was granted */
    uint32_t idle, table;
    char iif[INTERFACE_NAME_MAX + 1];
    bool has_ttls;
    uint8_t oif_count;
    struct staged_oif {
        char name[INTERFACE_NAME_MAX + 1];
        uint8_t ttl;
    } oifs[];
};

struct staging {
    struct collected collected; /* first */
    STAILQ_HEAD(, staged) set;
    size_t count;
    struct mroute_filter filter; /* which routes it replaces */
};

/* NULL: no memory. */
struct staging *staging_new(uint8_t family, uint32_t table);
void staging_free(struct staging *staging);

/* Puts a request aside. False: no memory. */
bool staging_add(struct staging *staging, const struct args_add_mfc *args,
                 const struct lease_info *lease);

/* The request again. It waits for its interfaces. */
void staged_unpack(const struct staged *staged, struct args_add_mfc *ret);

#endif
