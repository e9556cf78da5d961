/* The interfaces of this network namespace, kept up to date by the kernel's word.
 *
 * Names are what clients and people use; the kernel's index is what stays the same when an
 * interface is renamed, and what differs when one is deleted and made again. */
#ifndef NB_NETIFS_H
#define NB_NETIFS_H

#include "error.h"
#include "platform/netifs.h"

struct netifs;

/* Called when an interface is new or another (was is NULL for a new one), or gone (is is NULL). It
 * may be the same where word was lost: it may have been another in between. */
typedef void netifs_listener(void *context, const struct netif *was, const struct netif *is);

/* Opens the kernel's word on interfaces and reads which there are. Returns NULL with errno set. */
struct netifs *netifs_new(netifs_listener *listener, void *context);
void netifs_free(struct netifs *netifs);

/* The descriptor to poll for reading; call netifs_update when it is readable. */
int netifs_fd(const struct netifs *netifs);

/* Takes all that the kernel has told, calling the listener for each. Cheap where there is none:
 * callers do it before they look at a name, so that an interface made a moment ago is found. */
void netifs_update(struct netifs *netifs);

/* The interface of this name or index, or NULL. Valid until the next update. */
const struct netif *netifs_find(const struct netifs *netifs, const char *name);
const struct netif *netifs_find_index(const struct netifs *netifs, unsigned ifindex);

/* Whether the interface of this index is there, by this name. Rules and settings are about names:
 * what they granted is not granted on an interface that is called otherwise since. */
bool netifs_have(const struct netifs *netifs, unsigned ifindex, const char *name);

/* Whether a listener was told of one that is the same, and is called the same. */
bool netif_is_still(const struct netif *was, const struct netif *is);

/* What a request names by its field `interface` to have Ethernet frames of it, as the kernel says
 * now; NULL with *error. */
const struct netif *netifs_find_ethernet(struct netifs *netifs, const char *name,
                                         struct error *error);

/* The interface that the service made by this name, or NULL. Of several, of which all but one are
 * nobody's any more, the newest. */
const struct netif *netifs_find_made(const struct netifs *netifs, const char *name);

/* The interface after this one, or, for NULL, the first; NULL: there are no more. */
const struct netif *netifs_next(const struct netifs *netifs, const struct netif *netif);

#endif
