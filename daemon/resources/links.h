/* The interfaces of this network namespace, kept up to date by the kernel's word.
 *
 * Names are what clients and people use; the kernel's index is what stays the same when an
 * interface is renamed, and what differs when one is deleted and made again. */
#ifndef NB_LINKS_H
#define NB_LINKS_H

#include "platform/links.h"

struct links;

/* Called when an interface is new or another (was is NULL for a new one), or gone (is is NULL). */
typedef void links_listener(void *context, const struct link_info *was, const struct link_info *is);

/* Opens the kernel's word on interfaces and reads which there are. Returns NULL with errno set. */
struct links *links_new(links_listener *listener, void *context);
void links_free(struct links *links);

/* The descriptor to poll for reading; call links_update when it is readable. */
int links_fd(const struct links *links);

/* Takes all news, calling the listener for each. Cheap where there is none: callers do it before
 * they look at a name, so that an interface made a moment ago is found. */
void links_update(struct links *links);

/* The interface of this name or index, or NULL. Valid until the next update. */
const struct link_info *links_find(const struct links *links, const char *name);
const struct link_info *links_find_index(const struct links *links, unsigned ifindex);

/* The interface after this one, or, for NULL, the first; NULL: there are no more. */
const struct link_info *links_next(const struct links *links, const struct link_info *link);

#endif
