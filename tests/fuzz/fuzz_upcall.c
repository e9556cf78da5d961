/* The kernel's messages about packets: the first byte chooses the family. */
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
    return -ENOTSUP; /* an upcall asks nobody */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct upcall upcall;
    uint8_t family;
    void *copy;

    if (n == 0)
        return 0;
    family = bytes[0] % 2 ? FAMILY_IPV6 : FAMILY_IPV4;
    copy = malloc(n - 1);
    memcpy(copy, bytes + 1, n - 1);
    mroute_upcall_parse(family, copy, n - 1, &upcall);
    free(copy);
    must(upcall.kind == UPCALL_OTHER ||
             (upcall.source.family == family && upcall.group.family == family),
         "an upcall is of its table's family");
    return 0;
}
