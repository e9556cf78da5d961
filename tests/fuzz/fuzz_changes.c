/* What the kernel tells of changes to multicast routing. */
#include "fuzz.h"
#include "platform/linux/netlink.h"
#include "platform/mroute.h"

#include <errno.h>
#include <string.h>

int netlink_ask(const struct nlmsghdr *request, netlink_message *message, void *context)
{
    (void)request;
    (void)message;
    (void)context;
    return -ENOTSUP; /* a change asks nobody */
}

static void take_change(void *context, const struct mroute_change *change)
{
    bool is_entry = change->kind == MROUTE_ENTRY_WRITTEN || change->kind == MROUTE_ENTRY_DELETED;

    (void)context;
    must(change->family == FAMILY_IPV4 || change->family == FAMILY_IPV6, "a change has a family");
    must(!is_entry ||
             (change->source.family == change->family && change->group.family == change->family),
         "an entry is of its table's family");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    void *copy = malloc(n); /* aligned */

    if (n > 0)
        memcpy(copy, bytes, n);
    mroute_changes_parse(copy, n, take_change, NULL);
    free(copy);
    return 0;
}
