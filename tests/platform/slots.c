/* VIF slots: 32 numbers, and what happens to them when their interface goes.
 *
 * A table has 32 VIFs; there is no number 32. A number that is in use is refused. When an interface
 * is deleted the kernel frees its VIF without a word on the table's socket, but entries keep the
 * number: the next interface that is given it receives the packets of old routes. An entry that was
 * replaced, without the number, before that sends nothing there.
 *
 * Sources: vif_add(), vif_delete() and ipmr_device_event() of net/ipv4/ipmr.c, mif6_add() and
 * mif6_delete() of net/ipv6/ip6mr.c. */
#include "ground.h"

#include <errno.h>
#include <unistd.h>

enum { COUNT = 5 };

static void check_numbers(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);
    long added = 0;

    for (unsigned vif = 0; vif < LINKS; vif++)
        ground_require(mroute_vif_del(&s, vif) == 0, "VIF");
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        added += mroute_vif_add(&s, vif, ground->netifs[1].ifindex) == 0;
    ground_expect(ground, "VIFs that a table takes", 32, added);
    ground_expect_result(ground, "the 33rd", -ENFILE,
                         mroute_vif_add(&s, VIFS_MAX, ground->netifs[2].ifindex));
    ground_expect_result(ground, "a number in use", -EADDRINUSE,
                         mroute_vif_add(&s, 0, ground->netifs[2].ifindex));
    mroute_vif_del(&s, 0);
    ground_expect_result(ground, "an interface that does not exist", -EADDRNOTAVAIL,
                         mroute_vif_add(&s, 0, 9999));
    close(s.fd);
}

static int read_upcall(const struct mroute_socket *s)
{
    struct upcall upcall;
    int result;

    do
        result = mroute_upcall_read(s, &upcall);
    while (result == 0 && upcall.kind == UPCALL_OTHER);
    return result;
}

static void check_reuse(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);
    struct mfc_entry kept = ground_entry(family, 1, 1 << 1);
    struct mfc_entry cleaned = ground_entry(family, 2, 1 << 1);
    struct vif_counters counters;

    ground_require(mroute_mfc_set(&s, &kept) == 0 && mroute_mfc_set(&s, &cleaned) == 0, "entries");
    ground_netif_del(ground, 1);
    ground_expect_result(ground, "a VIF whose interface is deleted is gone", -EADDRNOTAVAIL,
                         mroute_vif_count(&s, 1, &counters));
    ground_expect_result(ground, "and nothing tells of it", -EAGAIN, read_upcall(&s));
    cleaned.ttls[1] = 0;
    ground_require(mroute_mfc_set(&s, &cleaned) == 0, "entry");
    ground_require(mroute_vif_del(&s, 2) == 0, "VIF");
    ground_expect_result(ground, "its number can be given to another interface", 0,
                         mroute_vif_add(&s, 1, ground->netifs[2].ifindex));
    ground_send(ground, 0, &kept, 8, COUNT);
    ground_expect(ground, "which then receives the packets of entries that kept the number", COUNT,
                  ground_received(ground, 2, &kept.group, COUNT));
    ground_send(ground, 0, &cleaned, 8, COUNT);
    ground_expect(ground, "but not those of an entry replaced before", 0,
                  ground_received(ground, 2, &cleaned.group, 0));
    close(s.fd);
    ground_netif_add(ground, 1);
}

static void check(struct ground *ground, uint8_t family)
{
    check_numbers(ground, family);
    check_reuse(ground, family);
}

int main(void)
{
    return ground_run_families(check);
}
