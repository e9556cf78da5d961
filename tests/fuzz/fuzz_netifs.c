/* Datagrams of rtnetlink on interfaces. */
#include "fuzz.h"
#include "platform/netifs.h"

#include <string.h>

static void take_change(void *context, const struct netif *netif)
{
    (void)context;
    must(netif->ifindex > 0, "an interface has an index");
    must(netif->name[0] && memchr(netif->name, '\0', sizeof netif->name), "a name is terminated");
}

static void take_loss(void *context, unsigned ifindex)
{
    (void)context;
    must(ifindex > 0, "an interface has an index");
}

static void take_nothing(void *context)
{
    (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct netif_visitor visitor = {take_change, take_loss, take_nothing, take_nothing, NULL};
    void *copy = malloc(n); /* aligned */

    memcpy(copy, bytes, n);
    netifs_parse(copy, n, &visitor);
    free(copy);
    return 0;
}
