/* Admission: may this route be added to a table, and what would that change? Nothing is done here.
 */
#ifndef NB_ADMISSION_H
#define NB_ADMISSION_H

#include "mfc.h"

/* The interfaces of a request, resolved to the kernel's indexes. */
struct resolved {
    unsigned iif;
    unsigned oifs[VIFS_MAX];
};

/* Holds the arguments against each other, the interfaces there are, the table (NULL: it is not
 * open) and the VIFs that are free. With wait, a missing interface is no error. */
bool admission_check(const struct mfc *mfc, const struct links *links,
                     const struct args_add_mfc *args, bool wait, struct resolved *resolved,
                     enum route_change *ret, struct error *error);

/* The source, which may be missing, as an address of the group's family. */
struct address admission_source(const struct args_add_mfc *args);

/* Whether the outgoing interface number i says nothing: in a route for any source, the iif among
 * others. */
bool admission_is_implied(const struct args_add_mfc *args, uint32_t i);

/* The TTL threshold of the outgoing interface number i. */
uint8_t admission_ttl_of(const struct args_add_mfc *args, uint32_t i);

#endif
