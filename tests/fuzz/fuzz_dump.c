/* The kernel's answers when its multicast routing tables are read back: the first byte chooses the
 * family, the rest is the datagram that stands for every answer. */
#include "fuzz.h"
#include "platform/linux/netlink.h"
#include "platform/mroute.h"

#include <string.h>

struct answer {
    uint8_t family;
    const void *bytes;
    size_t length;
};

/* What the parsers believe to ask the kernel; a pointer is all that outlives the call. */
static struct answer *current(void)
{
    static struct answer answer;

    return &answer;
}

int netlink_ask(const struct nlmsghdr *request, netlink_message *message, void *context)
{
    (void)request;
    netlink_walk(current()->bytes, current()->length, message, context);
    return 0;
}

static void take_vif(void *context, unsigned vif, unsigned ifindex)
{
    (void)context;
    must(vif < VIFS_MAX && ifindex > 0, "a VIF has a number and an interface");
}

static void take_entry(void *context, const struct mfc_found *found)
{
    (void)context;
    must(found->source.family == current()->family && found->group.family == current()->family,
         "an entry is of its table's family");
    must(found->oif_count <= VIFS_MAX, "an entry has as many oifs as there are VIFs at most");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct mroute_visitor visitor = {take_vif, take_entry, NULL};
    struct mroute_socket socket = {-1, FAMILY_IPV4, 0};
    void *copy;

    if (n == 0)
        return 0;
    socket.family = bytes[0] % 2 ? FAMILY_IPV6 : FAMILY_IPV4;
    socket.table = family_table(socket.family, 0);
    copy = malloc(n - 1); /* aligned */
    memcpy(copy, bytes + 1, n - 1);
    *current() = (struct answer){socket.family, copy, n - 1};
    mroute_dump(&socket, &visitor);
    free(copy);
    return 0;
}
