/* Who does not own a table may change it all the same, and who listens learns of it.
 *
 * CAP_NET_ADMIN is enough to add and delete entries and VIFs by another raw socket; of IPv4 also by
 * rtnetlink(7), which IPv6 has not (RTM_NEWROUTE and RTM_DELROUTE of RTNL_FAMILY_IP6MR). What the
 * owner did not write is marked MFC_STATIC: it is told of as RTPROT_STATIC, stays so when the owner
 * writes over it, and outlives the owner; after the owner has deleted it, it is the owner's again.
 * Deletions are told of alike, whoever made them. An interface's mc_forwarding changes with its
 * VIFs, and that is told of. Of what the owner writes the socket hears nothing: the filter works.
 *
 * Sources: ip_mroute_setsockopt(), ipmr_rtm_route() and vif_delete() of net/ipv4/ipmr.c,
 * ip6_mroute_setsockopt() of net/ipv6/ip6mr.c. */
#include "ground.h"
#include "platform/linux/netlink.h"

#include <netinet/in.h>

#include <linux/mroute.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct heard {
    int fd;
    long written, deleted, vifs, rules;
    struct mroute_change last;
};

static void take_change(void *context, const struct mroute_change *change)
{
    struct heard *heard = context;

    heard->last = *change;
    heard->written += change->kind == MROUTE_ENTRY_WRITTEN;
    heard->deleted += change->kind == MROUTE_ENTRY_DELETED;
    heard->vifs += change->kind == MROUTE_VIFS_CHANGED;
    heard->rules += change->kind == MROUTE_RULE_DELETED;
}

/* What was told since it was asked last. */
static struct heard *hear(struct heard *heard)
{
    *heard = (struct heard){.fd = heard->fd};
    ground_require(mroute_changes_read(heard->fd, 1000, take_change, heard) >= 0, "changes");
    return heard;
}

static struct mroute_socket open_stranger(uint8_t family)
{
    bool is_v4 = family == FAMILY_IPV4;
    struct mroute_socket s = {socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                                     is_v4 ? (int)IPPROTO_IGMP : (int)IPPROTO_ICMPV6),
                              family, family_table(family, 0)};

    ground_require(s.fd >= 0, "raw socket");
    return s;
}

static bool is_foreign(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    struct mfc_found found;

    ground_require(mroute_mfc_find(s, &entry->source, &entry->group, &found) == 0, "entry");
    return found.foreign;
}

static void check_entries(struct ground *ground, const struct mroute_socket *owner,
                          const struct mroute_socket *stranger, struct heard *heard)
{
    struct mfc_entry entry = ground_entry(owner->family, 1, 1 << 1);

    hear(heard);
    ground_require(mroute_mfc_set(owner, &entry) == 0, "entry");
    ground_expect(ground, "what the owner writes is not told of", 0, hear(heard)->written);
    ground_expect_result(ground, "a stranger may write over an entry", 0,
                         mroute_mfc_set(stranger, &entry));
    ground_expect(ground, "which is told of", 1, hear(heard)->written);
    ground_expect(ground, "with source and group", 1,
                  address_equal(&heard->last.source, &entry.source) &&
                      address_equal(&heard->last.group, &entry.group) &&
                      heard->last.table == owner->table && heard->last.family == owner->family);
    ground_require(mroute_mfc_set(owner, &entry) == 0, "entry");
    ground_expect(ground, "the owner writes over it, and it stays marked", 1,
                  is_foreign(owner, &entry));
    ground_require(mroute_mfc_del(owner, &entry.source, &entry.group) == 0, "entry");
    ground_require(mroute_mfc_set(owner, &entry) == 0, "entry");
    ground_expect(ground, "deleted and written anew it is the owner's", 0,
                  is_foreign(owner, &entry));
    hear(heard);
    ground_expect_result(ground, "a stranger may delete it", 0,
                         mroute_mfc_del(stranger, &entry.source, &entry.group));
    ground_expect(ground, "which is told of", 1, hear(heard)->deleted);
    ground_require(mroute_mfc_set(owner, &entry) == 0, "entry");
    ground_require(mroute_mfc_del(owner, &entry.source, &entry.group) == 0, "entry");
    ground_expect(ground, "what the owner deletes is told of, too", 1, hear(heard)->deleted);
}

static void ignore(void *context, const struct nlmsghdr *header)
{
    (void)context, (void)header;
}

static int delete_by_netlink(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    size_t size = s->family == FAMILY_IPV4 ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr table;
        uint32_t table_id;
        char addresses[2 * RTA_LENGTH(16)];
    } request = {
        .header = {.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(struct rtmsg)) + RTA_LENGTH(4) +
                                           2 * RTA_LENGTH(size)),
                   .nlmsg_type = RTM_DELROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .route = {.rtm_family = s->family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR,
                  .rtm_src_len = (uint8_t)(size * 8),
                  .rtm_dst_len = (uint8_t)(size * 8),
                  .rtm_protocol = RTPROT_STATIC,
                  .rtm_type = RTN_MULTICAST},
        .table = {RTA_LENGTH(sizeof(uint32_t)), RTA_TABLE},
        .table_id = s->table,
    };
    struct rtattr source = {(uint16_t)RTA_LENGTH(size), RTA_SRC},
                  group = {(uint16_t)RTA_LENGTH(size), RTA_DST};
    char *at = request.addresses;

    memcpy(at, &source, sizeof source);
    memcpy(at + sizeof source, entry->source.bytes, size);
    at += RTA_LENGTH(size);
    memcpy(at, &group, sizeof group);
    memcpy(at + sizeof group, entry->group.bytes, size);
    return netlink_ask(&request.header, ignore, NULL);
}

static void check_netlink(struct ground *ground, const struct mroute_socket *owner,
                          struct heard *heard)
{
    struct mfc_entry entry = ground_entry(owner->family, 2, 1 << 1);
    bool is_v4 = owner->family == FAMILY_IPV4;

    ground_require(mroute_mfc_set(owner, &entry) == 0, "entry");
    ground_expect_result(ground, "RTM_DELROUTE deletes an entry of IPv4, not of IPv6",
                         is_v4 ? 0 : -EOPNOTSUPP, delete_by_netlink(owner, &entry));
    ground_expect(ground, "which is told of", is_v4, hear(heard)->deleted);
    if (!is_v4)
        ground_require(mroute_mfc_del(owner, &entry.source, &entry.group) == 0, "entry");
    hear(heard);
}

static void check_vifs(struct ground *ground, const struct mroute_socket *owner,
                       const struct mroute_socket *stranger, struct heard *heard)
{
    ground_expect_result(ground, "a stranger may delete a VIF", 0, mroute_vif_del(stranger, 1));
    ground_expect(ground, "which is told of", 1, hear(heard)->vifs);
    ground_expect_result(ground, "and add one", 0,
                         mroute_vif_add(stranger, 1, ground->netifs[1].ifindex));
    ground_expect(ground, "which is told of", 1, hear(heard)->vifs);
    ground_expect_result(ground, "the owner may delete that", 0, mroute_vif_del(owner, 1));
    hear(heard);
}

static void check_rules(struct ground *ground, uint8_t family, struct heard *heard)
{
    struct mroute_rule rule = {.family = family, .table = 4242, .iif = "r0"};

    ground_require(mroute_rule_add(family, 4242, ground->netifs[0].ifindex) == 0, "rule");
    ground_expect(ground, "a rule that is made is not told of", 0, hear(heard)->rules);
    ground_require(mroute_rule_del(&rule) == 0, "rule");
    ground_expect(ground, "one that is deleted is", 1, hear(heard)->rules);
    ground_expect(ground, "with its table", 4242, heard->last.table);
}

/* Packets that wait for a route make an entry, too, and its end. */
static void check_unresolved(struct ground *ground, const struct mroute_socket *owner,
                             struct heard *heard)
{
    struct mfc_entry entry = ground_entry(owner->family, 3, 1 << 2);

    ground_send(ground, 0, &entry, 8, 3);
    usleep(100000);
    ground_expect(ground, "packets without a route are not told of", 0,
                  hear(heard)->written + heard->deleted);
}

static void check_end(struct ground *ground, struct mroute_socket *owner,
                      const struct mroute_socket *stranger)
{
    struct mfc_entry entry = ground_entry(owner->family, 4, 1 << 1);

    ground_require(mroute_mfc_set(stranger, &entry) == 0, "entry");
    close(owner->fd);
    *owner = ground_router_open(ground, owner->family);
    ground_expect_result(ground, "the next owner finds what a stranger wrote", 0,
                         mroute_mfc_del(owner, &entry.source, &entry.group));
}

static void check(struct ground *ground, uint8_t family)
{
    struct heard heard = {.fd = mroute_changes_open()};
    struct mroute_socket owner = ground_router_open(ground, family),
                         stranger = open_stranger(family);

    errno = heard.fd < 0 ? -heard.fd : 0;
    ground_require(heard.fd >= 0, "the socket that tells of changes");
    check_entries(ground, &owner, &stranger, &heard);
    check_netlink(ground, &owner, &heard);
    check_vifs(ground, &owner, &stranger, &heard);
    check_rules(ground, family, &heard);
    check_unresolved(ground, &owner, &heard);
    check_end(ground, &owner, &stranger);
    close(stranger.fd);
    close(owner.fd);
    close(heard.fd);
}

int main(void)
{
    return ground_run_families(check);
}
