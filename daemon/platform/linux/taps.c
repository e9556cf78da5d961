/* Taps on Linux: the kernel's Documentation/networking/tuntap.rst. */
#include "platform/taps.h"

#include <errno.h>

int taps_open(const struct tap_config *config)
{
    (void)config;
    return -ENOSYS;
}

unsigned taps_find(const char *name)
{
    (void)name;
    return 0;
}

int taps_delete(unsigned ifindex)
{
    (void)ifindex;
    return 0;
}

int taps_join(const char *name, const char *bridge, bool isolated)
{
    (void)name;
    (void)bridge;
    (void)isolated;
    return -ENOSYS;
}

int taps_find_overlap(const struct prefix *network, char *ret)
{
    (void)network;
    (void)ret;
    return 0;
}

const char *taps_explain(int error)
{
    (void)error;
    return NULL;
}
