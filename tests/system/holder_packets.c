/* The acts of holders.h that are done with the frames of an interface, as the keeper lends them. */
#include "holders.h"

#include "platform/packets.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { WAIT_MS = 3000, WHOLE = 60, SHORT = 32, SEND_RING = 4096 };

bool packets_read(const struct held *held, int which)
{
    struct packets packets;
    struct packet packet;
    bool has_one = false;

    (void)which;
    if (packets_map(&packets, held->packets) < 0)
        return false;
    for (int i = 0; i < WAIT_MS / 100 && !has_one; i++) {
        poll(&(struct pollfd){.fd = held->packets, .events = POLLIN}, 1, 100);
        has_one = packets_next_block(&packets) && packets_next(&packets, &packet);
    }
    packets_unmap(&packets);
    return has_one;
}

/* What send(2) is given goes nowhere: frames to be sent are those of the ring. */
static bool sends(const struct held *held, uint32_t length)
{
    static const unsigned char head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
                                         0,    0,    0,    0,    1,    0x88, 0xb5};
    size_t size = PACKETS_RING + SEND_RING;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, held->packets, 0);
    struct tpacket3_hdr *header;
    bool sent;

    if (map == MAP_FAILED)
        return false;
    header = (struct tpacket3_hdr *)(void *)(map + PACKETS_RING);
    memcpy((char *)header + TPACKET3_HDRLEN - sizeof(struct sockaddr_ll), head, sizeof head);
    header->tp_len = length;
    header->tp_next_offset = 0;
    header->tp_status = TP_STATUS_SEND_REQUEST;
    sent = send(held->packets, head, sizeof head, 0) == (ssize_t)length;
    header->tp_status = TP_STATUS_AVAILABLE;
    munmap(map, size);
    return sent;
}

bool packets_send(const struct held *held, int which)
{
    (void)which;
    return sends(held, WHOLE);
}

bool packets_send_short(const struct held *held, int which)
{
    (void)which;
    return sends(held, SHORT);
}

bool packets_bind(const struct held *held, int which)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = 1, /* the loopback */
    };

    (void)which;
    return bind(held->packets, (const struct sockaddr *)&address, sizeof address) == 0;
}

bool packets_promiscuous(const struct held *held, int which)
{
    struct packet_mreq all = {.mr_ifindex = (int)held->network, .mr_type = PACKET_MR_PROMISC};

    (void)which;
    return setsockopt(held->packets, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0;
}

bool packets_filter(const struct held *held, int which)
{
    struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, 65535);
    struct sock_fprog filter = {1, &pass};

    (void)which;
    return setsockopt(held->packets, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0 ||
           setsockopt(held->packets, SOL_SOCKET, SO_DETACH_FILTER, &filter, sizeof filter) == 0 ||
           setsockopt(held->packets, SOL_SOCKET, SO_LOCK_FILTER, &(int){0}, sizeof(int)) == 0;
}
