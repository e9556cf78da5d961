/* Frames on Linux: packet(7) with a ring of TPACKET_V3, Documentation/networking/packet_mmap.rst
 * and net/packet/af_packet.c of the kernel.
 *
 * A socket of packets cannot be kept from sending, and its holder may bind it to another interface:
 * the kernel asks for a privilege only when one is made. So three fences are made before anybody
 * gets it. The filter names the interface, and is locked: bound elsewhere, the socket receives
 * nothing. It is bound with all EtherTypes, because the kernel takes a tag out of a frame without a
 * word for who is bound to one. And it has a ring for sending as well, which makes all ways of
 * sending look there (tpacket_snd()), with frames so short that none but the smallest fit.
 *
 * The broker's cage, which has neither bind nor setsockopt for it, is the second fence
 * (arguments.c). */
#include "platform/packets.h"

#include "netlink.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING /* include/uapi/linux/if_packet.h, since Linux 4.20 */
#define PACKET_IGNORE_OUTGOING 23
#endif

enum {
    FRAME = 2048, /* only a measure of the ring: in a block, frames follow one another */
    SEND_BLOCK = 4096,
    SEND_FRAME = 80, /* the least that a header of TPACKET_V3 fits; 32 bytes of a frame */
    MAP_BYTES = PACKETS_RING + SEND_BLOCK,
    ADDRESSES = 12, /* bytes before the EtherType, or a tag */
    FILTER_MAX = 32,
    VLAN_8021AD = 0x88a8,
};

/* --- The filter ---------------------------------------------------------------------------- */

struct code {
    struct sock_filter list[FILTER_MAX];
    unsigned short count;
};

static void put(struct code *code, struct sock_filter one)
{
    code->list[code->count++] = one;
}

/* Drops the frame unless, or if, the value is this. The drop is one that follows at once, so that
 * no jump depends on what comes later. */
static void drop_unless(struct code *code, uint32_t value)
{
    put(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    put(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

static void drop_if(struct code *code, uint32_t value)
{
    put(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    put(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

static void load_about(struct code *code, uint32_t what)
{
    put(code, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + what));
}

/* The EtherType behind at most two tags that are in the frame: one that comes in has lost one. */
static void load_ethertype(struct code *code)
{
    static const struct sock_filter load[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ADDRESSES),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VLAN_8021AD, 0, 4),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ADDRESSES + PACKETS_TAG),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VLAN_8021AD, 0, 1),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ADDRESSES + 2 * PACKETS_TAG),
    };

    for (size_t i = 0; i < sizeof load / sizeof *load; i++)
        put(code, load[i]);
}

static void keep_ethertypes(struct code *code, const struct ethertype_list *list)
{
    load_ethertype(code);
    for (uint32_t i = 0; i < list->count; i++)
        put(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, list->types[i],
                                               (uint8_t)(list->count - i), 0));
    put(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

static void write_filter(struct code *code, const struct packets_config *config)
{
    load_about(code, SKF_AD_IFINDEX);
    drop_unless(code, config->ifindex);
    load_about(code, SKF_AD_PKTTYPE);
    if (config->directions == DIRECTION_IN)
        drop_if(code, PACKET_OUTGOING);
    if (config->directions == DIRECTION_OUT)
        drop_unless(code, PACKET_OUTGOING);
    if (config->ethertypes.count > 0)
        keep_ethertypes(code, &config->ethertypes);
    put(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SNAPLEN_MAX));
}

_Static_assert(2 + 3 + 3 + 7 + ETHERTYPES_MAX + 2 <= FILTER_MAX + 1, "the longest filter fits");

/* --- Opening ------------------------------------------------------------------------------- */

/* #syscalls keeper: socket setsockopt bind close */
static int set(int fd, int level, int option, const void *value, socklen_t size)
{
    return setsockopt(fd, level, option, value, size) < 0 ? -errno : 0;
}

static int set_number(int fd, int level, int option, int value)
{
    return set(fd, level, option, &value, sizeof value);
}

static int set_filter(int fd, const struct packets_config *config)
{
    struct code code = {.count = 0};
    struct sock_fprog program;
    int result;

    write_filter(&code, config);
    program = (struct sock_fprog){code.count, code.list};
    result = set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    return result < 0 ? result : set_number(fd, SOL_SOCKET, SO_LOCK_FILTER, 1);
}

static int set_rings(int fd, const struct packets_config *config)
{
    struct tpacket_req3 receive = {
        .tp_block_size = PACKETS_BLOCK,
        .tp_block_nr = PACKETS_BLOCKS,
        .tp_frame_size = FRAME,
        .tp_frame_nr = PACKETS_RING / FRAME,
        .tp_retire_blk_tov = config->latency,
    };
    struct tpacket_req3 send = {
        .tp_block_size = SEND_BLOCK,
        .tp_block_nr = 1,
        .tp_frame_size = SEND_FRAME,
        .tp_frame_nr = SEND_BLOCK / SEND_FRAME,
    };
    int result = set_number(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V3);

    if (result == 0) /* as libpcap has it, for a tag that is put in again */
        result = set_number(fd, SOL_PACKET, PACKET_RESERVE, PACKETS_TAG);
    if (result == 0)
        result = set(fd, SOL_PACKET, PACKET_RX_RING, &receive, sizeof receive);
    return result < 0 ? result : set(fd, SOL_PACKET, PACKET_TX_RING, &send, sizeof send);
}

/* --- The interface's clock ----------------------------------------------------------------- */

enum { CLOCK_NEEDED = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE };

/* #syscalls keeper: ioctl */
static int ask_interface(int fd, const struct packets_config *config, unsigned long what,
                         void *argument)
{
    struct ifreq request = {.ifr_data = argument};
    char name[INTERFACE_NAME_MAX + 1];

    if (!packets_name(config->ifindex, name))
        return -ENODEV;
    memcpy(request.ifr_name, name, sizeof request.ifr_name);
    return ioctl(fd, what, &request) < 0 ? -errno : 0;
}

/* The interface notes the time of all frames that it receives. One that does so for some, which
 * somebody else has asked of it (ptp4l(8)), is left as it is. */
static int start_clock(int fd, const struct packets_config *config)
{
    struct hwtstamp_config clock = {0};
    int result = ask_interface(fd, config, SIOCGHWTSTAMP, &clock);

    if (result < 0 || clock.rx_filter != HWTSTAMP_FILTER_NONE)
        return result;
    clock.rx_filter = HWTSTAMP_FILTER_ALL;
    return ask_interface(fd, config, SIOCSHWTSTAMP, &clock);
}

/* packet_mmap.rst, "PACKET_TIMESTAMP": frames without it have the kernel's. */
static int set_clock(int fd, const struct packets_config *config)
{
    struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
    int result;

    if (config->timestamps != TIMESTAMPS_INTERFACE)
        return 0;
    result = ask_interface(fd, config, SIOCETHTOOL, &info);
    if (result < 0)
        return result == -ENODEV ? result : -EOPNOTSUPP;
    if ((info.so_timestamping & CLOCK_NEEDED) != CLOCK_NEEDED ||
        !(info.rx_filters & 1U << HWTSTAMP_FILTER_ALL))
        return -EOPNOTSUPP;
    result = start_clock(fd, config);
    return result < 0 ? result
                      : set_number(fd, SOL_PACKET, PACKET_TIMESTAMP, SOF_TIMESTAMPING_RAW_HARDWARE);
}

static int join(int fd, const struct packets_config *config)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)config->ifindex,
    };
    struct packet_mreq promiscuous = {
        .mr_ifindex = (int)config->ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };

    if (config->promiscuous &&
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) < 0)
        return -errno;
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

/* #syscalls keeper: ioctl */
bool packets_name(uint32_t ifindex, char *ret)
{
    char name[IF_NAMESIZE];

    if (!if_indextoname(ifindex, name))
        return false;
    memcpy(ret, name, INTERFACE_NAME_MAX + 1);
    return true;
}

_Static_assert(IF_NAMESIZE == INTERFACE_NAME_MAX + 1, "a name fits");

/* It receives nothing before it is bound: its protocol is 0. */
int packets_open(const struct packets_config *config)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -errno : set_filter(fd, config);

    if (result == 0 && config->directions == DIRECTION_IN)
        set_number(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1); /* spares the filter's work */
    if (result == 0)
        result = set_clock(fd, config);
    if (result == 0)
        result = set_rings(fd, config);
    if (result == 0)
        result = join(fd, config);
    if (result == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return result;
}

const char *packets_explain(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {-EAFNOSUPPORT, "a drop-in of the unit keeps packet sockets from the service "
                        "(RestrictAddressFamilies=), or the kernel has none"},
        {-EPERM, "the service lacks CAP_NET_RAW"},
        {-ENOMEM, "the kernel has no memory for a ring of frames"},
        {-ENODEV, "the interface is gone"},
        {-ENXIO, "the interface is gone"},
        {-EOPNOTSUPP,
         "the interface has no clock for all frames ('ethtool -T' shows what it has); 'timestamps' "
         "may be \"kernel\""},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return NULL;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* The ring for sending lies behind the other one, and one mapping has both. */
int packets_map(struct packets *packets, int fd)
{
    void *map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return -errno;
    *packets = (struct packets){.map = map, .size = MAP_BYTES};
    return 0;
}

void packets_unmap(struct packets *packets)
{
    if (packets->map)
        munmap(packets->map, packets->size);
    *packets = (struct packets){0};
}

static struct tpacket_block_desc *block_of(const struct packets *packets)
{
    return (struct tpacket_block_desc *)(void *)(packets->map +
                                                 (size_t)packets->block * PACKETS_BLOCK);
}

static void give_back(struct packets *packets)
{
    __atomic_store_n(&block_of(packets)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    packets->block = (packets->block + 1) % PACKETS_BLOCKS;
    packets->holds_block = false;
}

bool packets_next_block(struct packets *packets)
{
    struct tpacket_block_desc *block;

    if (packets->holds_block)
        give_back(packets);
    block = block_of(packets);
    if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return false;
    packets->holds_block = true;
    packets->left = block->hdr.bh1.num_pkts;
    packets->next = (uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
    return true;
}

/* The addresses move to before the place of the tag: the ring has room there (PACKET_RESERVE). */
static void put_tag(struct packet *packet, const struct tpacket3_hdr *header)
{
    uint16_t tag[2] = {
        htons(header->tp_status & TP_STATUS_VLAN_TPID_VALID ? header->hv1.tp_vlan_tpid
                                                            : ETH_P_8021Q),
        htons((uint16_t)header->hv1.tp_vlan_tci),
    };

    packet->length += PACKETS_TAG;
    if (packet->captured < ADDRESSES)
        return;
    packet->bytes -= PACKETS_TAG;
    packet->captured += PACKETS_TAG;
    packet->tagged = true;
    memmove(packet->bytes, packet->bytes + PACKETS_TAG, ADDRESSES);
    memcpy(packet->bytes + ADDRESSES, tag, sizeof tag);
}

bool packets_next(struct packets *packets, struct packet *ret)
{
    struct tpacket3_hdr *header = (struct tpacket3_hdr *)(void *)packets->next;
    const struct sockaddr_ll *address;

    if (packets->left == 0)
        return false;
    packets->left--;
    packets->next += header->tp_next_offset;
    address = (const struct sockaddr_ll *)(const void *)((uint8_t *)header +
                                                         TPACKET_ALIGN(sizeof *header));
    *ret = (struct packet){
        .bytes = (uint8_t *)header + header->tp_mac,
        .captured = header->tp_snaplen,
        .length = header->tp_len,
        .time = header->tp_sec * UINT64_C(1000000000) + header->tp_nsec,
        .outgoing = address->sll_pkttype == PACKET_OUTGOING,
        .to_other = address->sll_pkttype == PACKET_OTHERHOST,
        .hardware = (header->tp_status & TP_STATUS_TS_RAW_HARDWARE) != 0,
    };
    if (header->tp_status & TP_STATUS_VLAN_VALID)
        put_tag(ret, header);
    return true;
}

/* #syscalls broker: getsockopt */
int packets_count(int fd, uint64_t *ret_received, uint64_t *ret_dropped)
{
    struct tpacket_stats_v3 statistics;
    socklen_t size = sizeof statistics;

    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0)
        return -errno;
    *ret_received = statistics.tp_packets - statistics.tp_drops;
    *ret_dropped = statistics.tp_drops;
    return 0;
}

/* rtnl_link_stats64 of <linux/if_link.h>: what is dropped for want of room is in both. */
static void read_dropped(void *context, const struct nlmsghdr *header)
{
    const struct ifinfomsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes[IFLA_MAX + 1];
    struct rtnl_link_stats64 counters = {0};
    uint64_t *dropped = context;

    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof *info))
        return;
    netlink_attributes(IFLA_RTA(info), header->nlmsg_len - NLMSG_LENGTH(sizeof *info), attributes,
                       IFLA_MAX + 1);
    if (!attributes[IFLA_STATS64])
        return;
    memcpy(&counters, RTA_DATA(attributes[IFLA_STATS64]),
           RTA_PAYLOAD(attributes[IFLA_STATS64]) < sizeof counters
               ? RTA_PAYLOAD(attributes[IFLA_STATS64])
               : sizeof counters);
    *dropped = counters.rx_dropped + counters.rx_missed_errors;
}

int packets_count_iface(uint32_t ifindex, uint64_t *ret_dropped)
{
    return netlink_ask_link(ifindex, read_dropped, ret_dropped);
}

/* #syscalls broker: poll ppoll ppoll_time64 getsockopt */
bool packets_wait(int fd, int wake, int milliseconds)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
    int error = 0;
    socklen_t size = sizeof error;

    if (poll(polled, 2, milliseconds) <= 0 || !(polled[0].revents & POLLERR))
        return true;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return false;
}
