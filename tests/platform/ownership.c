/* Who owns a multicast routing table.
 *
 * One socket owns a table: MRT_INIT by another socket, or by the owner again, is refused with
 * EADDRINUSE. MRT_TABLE chooses the table and comes before MRT_INIT. A table belongs to the open
 * file, not to the process: it lives until the last descriptor is closed, and is empty then. Where
 * none is chosen it is RT_TABLE_DEFAULT (253) for IPv4 and RT6_TABLE_DFLT (254) for IPv6. The
 * switches MRT_ASSERT and MRT_PIM belong to the table and outlive its owner.
 *
 * Sources: ip_mroute_setsockopt(), mrtsock_destruct() and mroute_clean_tables() of net/ipv4/ipmr.c,
 * ip6_mroute_setsockopt() of net/ipv6/ip6mr.c. */
#include "ground.h"

#include <net/if.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OTHER_TABLE = 4242 };

static int set_number(int fd, uint8_t family, int v4, int v6, int value)
{
    bool is_v4 = family == FAMILY_IPV4;

    return setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? v4 : v6, &value,
                      sizeof value) < 0
               ? -errno
               : 0;
}

static int get_number(int fd, uint8_t family, int v4, int v6)
{
    bool is_v4 = family == FAMILY_IPV4;
    int value = -1;
    socklen_t length = sizeof value;

    getsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? v4 : v6, &value, &length);
    return value;
}

static void ignore_vif(void *context, unsigned vif, unsigned ifindex)
{
    (void)context, (void)vif, (void)ifindex;
}

static void count_mfc(void *context, const struct mfc_found *found)
{
    (void)found;
    ++*(long *)context;
}

static long count_entries(const struct mroute_socket *socket)
{
    long count = 0;
    struct mroute_visitor visitor = {ignore_vif, count_mfc, &count};

    ground_require(mroute_dump(socket, &visitor) == 0, "dump");
    return count;
}

static void check_exclusive(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);
    struct mfc_entry entry = ground_entry(family, 1, 1 << 1);
    int second, copy;

    ground_expect_result(ground, "another socket cannot own an owned table", -EADDRINUSE,
                         mroute_socket_open(family, s.table));
    ground_expect_result(ground, "nor can its owner, again", -EADDRINUSE,
                         set_number(s.fd, family, MRT_INIT, MRT6_INIT, 1));
    ground_expect_result(ground, "the owner cannot go to another table (MRT_TABLE)", -EBUSY,
                         set_number(s.fd, family, MRT_TABLE, MRT6_TABLE, OTHER_TABLE));
    ground_require(mroute_mfc_set(&s, &entry) == 0, "entry");
    copy = dup(s.fd);
    close(s.fd);
    ground_expect_result(ground, "the table is owned while a copy of the descriptor is open",
                         -EADDRINUSE, mroute_socket_open(family, s.table));
    s.fd = copy;
    ground_expect(ground, "and keeps its entries", 1, count_entries(&s));
    close(copy);
    second = mroute_socket_open(family, s.table);
    ground_expect_result(ground, "the last close frees the table", 0, second < 0 ? second : 0);
    s.fd = second;
    ground_expect(ground, "and empties it", 0, count_entries(&s));
    close(second);
}

static void check_tables(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family), named = s, other;
    struct mfc_entry entry = ground_entry(family, 2, 1 << 1);

    ground_require(mroute_mfc_set(&s, &entry) == 0, "entry");
    named.table = family == FAMILY_IPV4 ? 253 : 254;
    ground_expect(ground,
                  family == FAMILY_IPV4 ? "dumps call the default table 253"
                                        : "dumps call the default table 254",
                  1, count_entries(&named));
    other = (struct mroute_socket){mroute_socket_open(family, OTHER_TABLE), family, OTHER_TABLE};
    ground_expect_result(ground, "another table is owned beside it", 0,
                         other.fd < 0 ? other.fd : 0);
    ground_expect(ground, "and has entries of its own", 0, count_entries(&other));
    close(other.fd);
    close(s.fd);
}

static int open_raw(uint8_t family)
{
    bool is_v4 = family == FAMILY_IPV4;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                    is_v4 ? (int)IPPROTO_IGMP : (int)IPPROTO_ICMPV6);

    ground_require(fd >= 0, "raw socket");
    ground_require(set_number(fd, family, MRT_INIT, MRT6_INIT, 1) == 0, "MRT_INIT");
    return fd;
}

static void check_switches(struct ground *ground, uint8_t family)
{
    int fd = open_raw(family);

    ground_require(set_number(fd, family, MRT_PIM, MRT6_PIM, 0) == 0, "MRT_PIM");
    ground_require(set_number(fd, family, MRT_ASSERT, MRT6_ASSERT, 1) == 0, "MRT_ASSERT");
    close(fd);
    fd = open_raw(family);
    ground_expect(ground, "the next owner finds MRT_ASSERT as the last left it", 1,
                  get_number(fd, family, MRT_ASSERT, MRT6_ASSERT));
    ground_expect(ground, "and MRT_PIM too", 0, get_number(fd, family, MRT_PIM, MRT6_PIM));
    close(fd);
    fd = mroute_socket_open(family, family_table(family, 0));
    ground_expect(ground, "an owner can switch on MRT_PIM", 1,
                  get_number(fd, family, MRT_PIM, MRT6_PIM));
    ground_expect(ground, "and with it MRT_ASSERT", 1,
                  get_number(fd, family, MRT_ASSERT, MRT6_ASSERT));
    close(fd);
}

static void check(struct ground *ground, uint8_t family)
{
    check_exclusive(ground, family);
    check_tables(ground, family);
    check_switches(ground, family);
}

int main(void)
{
    return ground_run_families(check);
}
