/* A kernel in which nothing stands in the way of a packet. */
#include "platform/diagnose.h"

#include <errno.h>

int diagnose_input(uint8_t family, unsigned ifindex, struct input_facts *ret)
{
    (void)family;
    (void)ifindex;
    *ret = (struct input_facts){.routes_multicast = true, .has_address = true};
    return 0;
}

int diagnose_netif(unsigned ifindex, struct netif_facts *ret)
{
    (void)ifindex;
    *ret = (struct netif_facts){.kind = NETIF_OTHER};
    return 0;
}

int diagnose_counters_open(uint8_t family)
{
    (void)family;
    return -ENOENT;
}

int diagnose_multicast_sent(uint8_t family, int fd, uint64_t *ret)
{
    (void)family;
    (void)fd;
    (void)ret;
    return -ENOENT;
}

int diagnose_return_path(const struct address *source, struct return_path *ret)
{
    (void)source;
    *ret = (struct return_path){.count = 0};
    return 0;
}

int diagnose_tables(uint8_t family, const char *iif, struct chosen_tables *ret)
{
    (void)iif;
    *ret = (struct chosen_tables){1, {family_table(family, 0)}};
    return 0;
}
