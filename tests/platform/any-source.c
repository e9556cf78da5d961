/* Entries for any source, which the kernel forwards by itself.
 *
 * An entry whose source is unspecified stands for every source of its group, without an upcall and
 * from the first packet on; but only if its inbound interface is in its own outbound set. A packet
 * never goes back out of the interface that it came in by. An entry for one source inside it goes
 * first: without outbound interfaces it stops that source alone.
 *
 * Sources: ipmr_cache_find_any() and ip_mr_forward() of net/ipv4/ipmr.c, ip6_mr_forward() of
 * net/ipv6/ip6mr.c, mr_mfc_find_any() of net/ipv4/ipmr_base.c. */
#include "ground.h"

#include <unistd.h>

enum { COUNT = 5 };

static void check(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);
    struct mfc_entry flow = ground_entry(family, 1, 0), any = flow, other = flow;

    any.source = address_any(family);
    any.ttls[1] = 1;
    ground_require(mroute_mfc_set(&s, &any) == 0, "entry");
    ground_send(ground, 0, &flow, 8, COUNT);
    ground_expect(ground, "(*,G) without the iif among its oifs: packets forwarded", 0,
                  ground_received(ground, 1, &flow.group, 0));
    close(s.fd);

    s = ground_router_open(ground, family);
    any.ttls[0] = 1;
    ground_require(mroute_mfc_set(&s, &any) == 0, "entry");
    ground_send(ground, 0, &flow, 8, COUNT);
    ground_expect(ground, "(*,G) with it: packets forwarded", COUNT,
                  ground_received(ground, 1, &flow.group, COUNT));
    ground_expect(ground, "packets sent back to the iif", 0,
                  ground_received(ground, 0, &flow.group, 0));

    flow.parent = 0;
    ground_require(mroute_mfc_set(&s, &flow) == 0, "stop entry");
    other.source.bytes[family == FAMILY_IPV4 ? 3 : 15] ^= 1;
    ground_send(ground, 0, &flow, 8, COUNT);
    ground_expect(ground, "(S,G) without oifs inside it: packets of S forwarded", 0,
                  ground_received(ground, 1, &flow.group, 0));
    ground_send(ground, 0, &other, 8, COUNT);
    ground_expect(ground, "packets of another source forwarded", COUNT,
                  ground_received(ground, 1, &flow.group, COUNT));
    close(s.fd);
}

int main(void)
{
    return ground_run_families(check);
}
