/* Admission: may this route be added to a table, and what would that change? Nothing is done here.
 */
#ifndef NB_ADMISSION_H
#define NB_ADMISSION_H

#include "mfc.h"

/* Holds the arguments against each other, the interfaces there are, the table (NULL: it is not
 * open) and the VIFs that are free. *ret_old is the route that would be replaced, or NULL. */
bool admission_check(const struct mfc *mfc, const struct netifs *netifs,
                     const struct args_add_mfc *args, struct resolved *resolved,
                     struct route **ret_old, enum route_change *ret, struct error *error);

/* The same without the VIFs. */
bool admission_compare(const struct mfc *mfc, const struct netifs *netifs,
                       const struct args_add_mfc *args, struct resolved *resolved,
                       struct route **ret_old, enum route_change *ret, struct error *error);

/* Whether the outgoing interfaces exist, or the request waits for them. */
bool admission_oifs_exist(const struct netifs *netifs, const struct args_add_mfc *args,
                          struct error *error);

/* The source, which may be missing, as a prefix of the group's family. */
struct prefix admission_source(const struct args_add_mfc *args);

/* Whether the outgoing interface number i says nothing: in a route for any source, the iif among
 * others. */
bool admission_is_implied(const struct args_add_mfc *args, uint32_t i);

/* The TTL threshold of the outgoing interface number i. */
uint8_t admission_ttl_of(const struct args_add_mfc *args, uint32_t i);

#endif
