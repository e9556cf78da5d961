/* What the fake kernel tells of its taps. Nobody has ever been asked for there, and a bridge is no
 * more than a name. */
#include "platform/tap_facts.h"

#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fake_tap *find_tap(unsigned ifindex)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->tap_count; i++)
        if (kernel->taps[i].ifindex == ifindex)
            return &kernel->taps[i];
    return NULL;
}

static const struct netif *find_netif(unsigned ifindex)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].ifindex == ifindex)
            return &kernel->netifs[i];
    return NULL;
}

void fake_tap_set_counters(const char *name, const struct tap_counters *counters)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->tap_count; i++)
        if (strcmp(kernel->taps[i].config.name, name) == 0) {
            kernel->taps[i].counters = *counters;
            return;
        }
    abort();
}

int tap_facts_read(unsigned ifindex, struct tap_facts *ret)
{
    const struct netif *netif = find_netif(ifindex);
    const struct fake_tap *tap = find_tap(ifindex);

    *ret = (struct tap_facts){.mtu = 0};
    if (!netif)
        return -ENODEV;
    *ret = (struct tap_facts){
        .kind = tap ? FACTS_TAP : FACTS_OTHER,
        .up = netif->up,
        .carrier = netif->running,
        .mtu = tap ? tap->config.mtu : TAP_MTU_DEFAULT,
        .master = netif->master,
        .persistent = tap && tap->config.flags & TAP_PERSISTENT,
        .offload = tap && tap->config.flags & TAP_OFFLOAD,
        .forwards = true,
    };
    memcpy(ret->name, netif->name, sizeof ret->name);
    if (tap)
        ret->counters = tap->counters;
    return 0;
}

int tap_facts_count(unsigned ifindex, struct tap_counters *ret)
{
    struct tap_facts facts;
    int result = tap_facts_read(ifindex, &facts);

    *ret = facts.counters;
    return result;
}

int tap_facts_addresses(unsigned ifindex, struct tap_addresses *ret)
{
    const struct fake_tap *tap = find_tap(ifindex);

    *ret = (struct tap_addresses){.count = 0};
    for (uint32_t i = 0; tap && i < tap->config.host_count; i++)
        ret->list[ret->count++] = tap->config.hosts[i];
    return 0;
}

int tap_facts_neighbours(unsigned ifindex, struct tap_neighbours *ret)
{
    (void)ifindex;
    *ret = (struct tap_neighbours){.known = 0};
    return 0;
}
