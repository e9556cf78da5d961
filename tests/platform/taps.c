/* Taps, as the keeper makes them and as their holders use them.
 *
 * A tap carries its first frame, has the address that it was given, and says no word of IPv6. A
 * name is taken once, and what fails leaves nothing. Who holds the descriptor, without privileges,
 * changes much of the device, but neither its name nor its alias, by which it is known as ours: to
 * delete it ends it in any case, and every copy of the descriptor. What is not ours stays, also
 * where many are deleted at once.
 *
 * Sources: drivers/net/tun.c: tun_set_iff(), tun_attach(), tun_not_capable(), tun_chr_poll(),
 * __tun_chr_ioctl() and tun_net_uninit(); do_setlink() and rtnl_group_dellink() of
 * net/core/rtnetlink.c; br_stp_recalculate_bridge_id() of net/bridge/br_stp_if.c;
 * ndisc_router_discovery() of net/ipv6/ndisc.c. */
#include "platform/taps.h"
#include "ground.h"
#include "platform/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

enum { WAIT_MS = 3000, SILENCE_MS = 1500, FRAME_MAX = 2048, OWNER = 1234, STRANGER = 65534 };

enum { ETHER_ARP = 0x0806, ETHER_IPV6 = 0x86dd, ETHER_OTHER = 0x88b5 };

static void shell(const char *command)
{
    ground_require(system(command) == 0, command);
}

static struct tap_config configuration(const char *name)
{
    struct tap_config config = {
        .mac = {TAP_PORT_MAC_FIRST, 0, 0, 1, 2, 3},
        .mtu = 1500,
        .queues = 1,
        .flags = TAP_QUIET,
        .owner = OWNER,
    };

    snprintf(config.name, sizeof config.name, "%s", name);
    return config;
}

static void add_host(struct tap_config *config, const char *address, uint8_t length)
{
    struct host_address *host = &config->hosts[config->host_count++];

    ground_require(address_parse(address, &host->address), address);
    host->length = length;
    if (host->address.family == FAMILY_IPV6)
        config->flags &= ~(unsigned)TAP_QUIET;
}

static int open_tap(const struct tap_config *config)
{
    int fd = taps_open(config);

    errno = fd < 0 ? -fd : 0;
    ground_require(fd >= 0, config->name);
    return fd;
}

static int open_named(const char *name)
{
    struct tap_config config = configuration(name);

    return open_tap(&config);
}

static bool exists(const char *name)
{
    return if_nametoindex(name) != 0;
}

/* --- Frames -------------------------------------------------------------------------------- */

static unsigned type_of(const unsigned char *frame)
{
    return (unsigned)frame[12] << 8 | frame[13];
}

/* The next frame of this type, 0: of any; false when none comes in time. */
static bool read_frame(int fd, unsigned type, int wait_ms, unsigned char *ret)
{
    for (; wait_ms > 0; wait_ms--) {
        ssize_t length = read(fd, ret, FRAME_MAX);

        if (length > 14 && (type == 0 || type_of(ret) == type))
            return true;
        if (length < 0)
            usleep(1000);
    }
    return false;
}

static bool send_frame(int fd, const unsigned char *source, unsigned char number)
{
    unsigned char frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x88, 0xb5, number};

    memcpy(frame + 6, source, MAC_BYTES);
    return write(fd, frame, sizeof frame) == (ssize_t)sizeof frame;
}

/* The host asks the link for its neighbour. */
static void ask_neighbour(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, address, &to.sin_addr);
    ground_require(sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof to) == 1, address);
    close(fd);
}

/* --- Made, and ended ----------------------------------------------------------------------- */

static void check_first_frame(struct ground *ground)
{
    struct tap_config config = configuration("nb-first");
    unsigned char frame[FRAME_MAX] = {0};
    unsigned lost = 0, others = 0;

    add_host(&config, "192.0.2.1", 24);
    for (unsigned i = 0; i < 5; i++) {
        int fd = open_tap(&config);

        ask_neighbour("192.0.2.2");
        lost += !read_frame(fd, ETHER_ARP, WAIT_MS / 3, frame);
        others += memcmp(frame + 6, config.mac, MAC_BYTES) != 0;
        close(fd);
    }
    ground_expect(ground, "the host's first frame on a new tap is lost", 0, lost);
    ground_expect(ground, "a tap has another Ethernet address than it was given", 0, others);
    ground_expect(ground, "a tap without a descriptor is there", 0, exists("nb-first"));
}

static void check_name(struct ground *ground)
{
    struct tap_config config = configuration("nb-name");
    int fd = open_tap(&config), mtu;
    struct ifreq request = {.ifr_name = "nb-name"};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ground_expect_result(ground, "to open it again", -EBUSY, taps_open(&config));
    ground_require(ioctl(s, SIOCGIFMTU, &request) == 0, "SIOCGIFMTU");
    mtu = request.ifr_mtu;
    ground_expect(ground, "its MTU", 1500, mtu);
    ground_require(ioctl(s, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
    ground_expect(ground, "it is up and running", IFF_UP | IFF_RUNNING,
                  request.ifr_flags & (IFF_UP | IFF_RUNNING));
    close(s);
    close(fd);
    shell("ip link add nb-other type bridge");
    config = configuration("nb-other");
    ground_expect_result(ground, "to open one with the name of another interface", -EBUSY,
                         taps_open(&config));
    shell("ip link del nb-other");
}

static void check_failures(struct ground *ground)
{
    struct tap_config config = configuration("nb-fail");

    strcpy(config.bridge, "nb-none");
    ground_expect_result(ground, "to open a port of a bridge that is not there", -ENODEV,
                         taps_open(&config));
    strcpy(config.bridge, "lo");
    ground_expect(ground, "a port of what is no bridge is made", 0, taps_open(&config) >= 0);
    ground_expect(ground, "something of it is left", 0, exists("nb-fail"));
    config.bridge[0] = '\0';
    add_host(&config, "192.0.2.1", 24);
    add_host(&config, "192.0.2.1", 24);
    ground_expect_result(ground, "to open one with an address twice", -EEXIST, taps_open(&config));
    ground_expect(ground, "something of that is left", 0, exists("nb-fail"));
}

static void check_delete(struct ground *ground)
{
    int fd = open_named("nb-del"), copy = dup(fd);
    unsigned ifindex = taps_find("nb-del");
    char frame[FRAME_MAX] = {0};
    int waiting = 0;

    ground_require(ioctl(fd, TUNGETSNDBUF, &waiting) == 0, "TUNGETSNDBUF");
    ground_expect(ground, "bytes of its holder's that may wait", 1 << 20, waiting);
    ground_expect(ground, "it seems to be gone before", 0, taps_is_gone(fd));
    ground_expect_result(ground, "to delete a tap that is open", 0, taps_delete(ifindex));
    ground_expect(ground, "it seems to be gone", 1, taps_is_gone(copy));
    ground_expect(ground, "it is there afterwards", 0, exists("nb-del"));
    ground_expect_result(ground, "to read from it", -EBADFD,
                         read(fd, frame, sizeof frame) < 0 ? -errno : 0);
    ground_expect_result(ground, "to write to a copy", -EBADFD,
                         write(copy, frame, 60) < 0 ? -errno : 0);
    ground_expect_result(ground, "to delete it again", 0, taps_delete(ifindex));
    close(fd);
    close(copy);
}

/* Of a tap of others: what our mark is not. */
static void check_aliases(struct ground *ground)
{
    shell("ip link set nb-foreign alias netbroker");
    ground_expect_result(ground, "to delete one without a name in its alias", -EPERM,
                         taps_delete(taps_find("nb-foreign")));
    shell("ip link set nb-foreign alias 'netbroker nb-longer-than-it'");
    ground_expect_result(ground, "to delete one with no name that can be", -EPERM,
                         taps_delete(taps_find("nb-foreign")));
    shell("ip link set nb-foreign alias 'Netbroker nb-foreign'");
    ground_expect_result(ground, "to delete one with another alias", -EPERM,
                         taps_delete(taps_find("nb-foreign")));
}

static void check_foreign(struct ground *ground)
{
    shell("ip link add nb-other type bridge && ip link set nb-other alias 'netbroker nb-other'");
    shell("ip tuntap add dev nb-foreign mode tap");
    ground_expect_result(ground, "to delete another's tap", -EPERM,
                         taps_delete(taps_find("nb-foreign")));
    ground_expect_result(ground, "to delete what is no tap, with our alias", -EPERM,
                         taps_delete(taps_find("nb-other")));
    ground_expect_result(ground, "to make it a port of a bridge", -EPERM,
                         taps_join("nb-foreign", "lo", false));
    check_aliases(ground);
    ground_expect(ground, "both are there", 2, exists("nb-other") + exists("nb-foreign"));
    shell("ip link del nb-other && ip link del nb-foreign");
}

/* Several at the cost of one; of what is not ours, nothing. */
static void check_together(struct ground *ground)
{
    const char *names[] = {"nb-1", "nb-2", "nb-foreign", "nb-3"};
    unsigned ifindexes[4];
    int fds[3];

    shell("ip tuntap add dev nb-foreign mode tap");
    for (unsigned i = 0; i < 3; i++)
        fds[i] = open_named(names[i == 2 ? 3 : i]);
    for (unsigned i = 0; i < 4; i++)
        ifindexes[i] = taps_find(names[i]);
    shell("ip link add nb-other group 1851945579 type bridge"); /* as if somebody had chosen that */
    taps_delete_together(ifindexes, 4);
    ground_expect(ground, "with another interface in their group, so many are there", 5,
                  exists("nb-1") + exists("nb-2") + exists("nb-3") + exists("nb-foreign") +
                      exists("nb-other"));
    shell("ip link set nb-other group default && ip link set nb-foreign group 1851945579");
    taps_delete_together(ifindexes, 4);
    ground_expect(ground, "with another's tap in it that was asked for, so many are there", 5,
                  exists("nb-1") + exists("nb-2") + exists("nb-3") + exists("nb-foreign") +
                      exists("nb-other"));
    shell("ip link set nb-foreign group default");
    taps_delete_together(ifindexes, 4);
    ground_expect(ground, "of ours, so many are there afterwards", 0,
                  exists("nb-1") + exists("nb-2") + exists("nb-3"));
    ground_expect(ground, "of others", 2, exists("nb-foreign") + exists("nb-other"));
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    shell("ip link del nb-foreign && ip link del nb-other");
}

/* --- IPv6 ---------------------------------------------------------------------------------- */

static uint16_t checksum(const unsigned char *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* A router advertisement of fe80::99 to all nodes: a default router for 1800 s (RFC 4861, 4.2). */
static void advertise(int fd)
{
    unsigned char frame[14 + 40 + 16] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 0x86, 0xdd};
    unsigned char *ip = frame + 14, *icmp = ip + 40;
    uint16_t sum;

    memcpy(ip, (unsigned char[]){0x60, 0, 0, 0, 0, 16, 58, 255, 0xfe, 0x80}, 10);
    ip[23] = 0x99;
    memcpy(ip + 24, (unsigned char[]){0xff, 0x02}, 2);
    ip[39] = 1;
    memcpy(icmp, (unsigned char[]){134, 0, 0, 0, 64, 0, 0x07, 0x08}, 8);
    sum = checksum(ip + 8, 32 + 16, 16 + 58);
    icmp[2] = (unsigned char)(sum >> 8);
    icmp[3] = (unsigned char)sum;
    ground_require(write(fd, frame, sizeof frame) == (ssize_t)sizeof frame, "advertisement");
}

static bool has_default_route(const char *name)
{
    FILE *file = fopen("/proc/net/ipv6_route", "r");
    char line[256], end[INTERFACE_NAME_MAX + 2];
    bool found = false;

    ground_require(file != NULL, "/proc/net/ipv6_route");
    snprintf(end, sizeof end, "%s\n", name);
    while (fgets(line, sizeof line, file))
        found = found ||
                (strncmp(line, "00000000000000000000000000000000 00 ", 36) == 0 &&
                 strlen(line) > strlen(end) && strcmp(line + strlen(line) - strlen(end), end) == 0);
    fclose(file);
    return found;
}

/* What was written to a tap the host has taken when write returns. */
static void check_ipv6(struct ground *ground)
{
    struct tap_config config = configuration("nb-six");
    unsigned char frame[FRAME_MAX];
    int fd = open_tap(&config);

    ground_expect(ground, "the host speaks IPv6 on a quiet tap", 0,
                  read_frame(fd, ETHER_IPV6, SILENCE_MS, frame));
    advertise(fd);
    ground_expect(ground, "it takes a router from there", 0, has_default_route("nb-six"));
    close(fd);

    config.flags = 0;
    fd = open_tap(&config);
    advertise(fd);
    ground_expect(ground, "it takes one from a tap without an address", 0,
                  has_default_route("nb-six"));
    close(fd);

    add_host(&config, "2001:db8::1", 64);
    fd = open_tap(&config);
    ground_expect(ground, "it speaks IPv6 where it has an address", 1,
                  read_frame(fd, ETHER_IPV6, WAIT_MS, frame));
    advertise(fd);
    ground_expect(ground, "it takes a router from there, too", 0, has_default_route("nb-six"));
    shell("echo 1 >/proc/sys/net/ipv6/conf/nb-six/accept_ra");
    advertise(fd);
    ground_expect(ground, "it would, were it not told", 1, has_default_route("nb-six"));
    close(fd);
}

/* --- Bridges ------------------------------------------------------------------------------- */

static int open_port(const char *name, unsigned char number, uint32_t flags)
{
    struct tap_config config = configuration(name);

    strcpy(config.bridge, "nbr0");
    config.mac[5] = number;
    config.flags = flags;
    return open_tap(&config);
}

static long pass(int from, int to)
{
    static unsigned char number;
    unsigned char frame[FRAME_MAX];
    static const unsigned char source[] = {2, 0, 0, 0, 0, 9};

    ground_require(send_frame(from, source, ++number), "to send a frame");
    while (read_frame(to, ETHER_OTHER, 200, frame))
        if (frame[14] == number)
            return 1;
    return 0;
}

static void check_bridge(struct ground *ground)
{
    int open, a, b;
    unsigned char frame[FRAME_MAX];

    shell("ip link add nbr0 address 06:00:00:00:00:01 type bridge && ip link set nbr0 up");
    open = open_port("nb-open", 1, TAP_QUIET);
    a = open_port("nb-a", 2, TAP_ISOLATED);
    b = open_port("nb-b", 3, TAP_ISOLATED);
    ground_expect(ground, "frames from an isolated port to another one", 1, pass(a, open));
    ground_expect(ground, "and back", 1, pass(open, a));
    ground_expect(ground, "frames between isolated ports", 0, pass(a, b));
    ground_expect(ground, "the host speaks IPv6 on a port that is not said to be quiet", 0,
                  read_frame(b, ETHER_IPV6, SILENCE_MS, frame) && frame[6] == TAP_PORT_MAC_FIRST);
    ground_expect_result(ground, "to end its isolation", 0, taps_join("nb-b", "nbr0", false));
    ground_expect(ground, "then frames between the two", 1, pass(a, b));
    ground_expect(ground, "the bridge has an address of a port", 0,
                  system("ip -o link show nbr0 | grep -q 'ether fe:'") == 0);

    shell("ip link del nbr0 && ip link add nbr0 type bridge && ip link set nbr0 up");
    ground_expect(ground, "frames without the bridge", 0, pass(open, a));
    ground_expect_result(ground, "to join the one made anew", 0,
                         taps_join("nb-open", "nbr0", false));
    ground_expect_result(ground, "to join it isolated", 0, taps_join("nb-a", "nbr0", true));
    ground_expect_result(ground, "to join it isolated, too", 0, taps_join("nb-b", "nbr0", true));
    ground_expect(ground, "frames by the new bridge", 1, pass(a, open));
    ground_expect(ground, "frames between its isolated ports", 0, pass(a, b));
    ground_expect_result(ground, "to join one that is not there", -ENODEV,
                         taps_join("nb-a", "nbr1", false));
    close(open);
    close(a);
    close(b);
    shell("ip link del nbr0");
}

/* --- Owners and holders -------------------------------------------------------------------- */

/* A process of this user, without privileges, attaches the tap by name. In a user namespace with
 * one user id there is no other user. */
struct attempt {
    const char *name;
    uid_t user;
    int expected;
};

static void attach(struct ground *ground, void *context)
{
    const struct attempt *attempt = context;
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    ground_require(fd >= 0, "/dev/net/tun");
    strcpy(request.ifr_name, attempt->name);
    if (setresuid(attempt->user, attempt->user, attempt->user) < 0)
        return;
    ground_expect_result(
        ground, attempt->user == OWNER ? "the owner attaches it" : "another user attaches it",
        attempt->expected, ioctl(fd, TUNSETIFF, &request) < 0 ? -errno : 0);
}

static void check_persistent(struct ground *ground)
{
    struct tap_config config = configuration("nb-last");
    struct attempt owner = {"nb-last", OWNER, 0}, stranger = {"nb-last", STRANGER, -EPERM};

    config.flags |= TAP_PERSISTENT;
    close(open_tap(&config));
    ground_expect(ground, "a persistent tap is there without a descriptor", 1, exists("nb-last"));
    ground_in_child(ground, attach, &owner);
    ground_in_child(ground, attach, &stranger);
    ground_expect_result(ground, "to delete it", 0, taps_delete(taps_find("nb-last")));
    ground_expect(ground, "it is there then", 0, exists("nb-last"));
}

static long try_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

/* What each of them is, docs/threats.md says. */
static void act_as_holder(struct ground *ground, void *context)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &drop};
    struct ifreq mac = {.ifr_hwaddr = {.sa_family = 1 /* ARPHRD_ETHER */, .sa_data = {2, 2}}};
    struct ifreq named = {.ifr_name = "nb-held", .ifr_newname = "nb-other"};
    struct ifreq mtu = {.ifr_name = "nb-held", .ifr_mtu = 9000};
    int fd = *(int *)context, header = 20, carrier = 0, size = 1 << 30;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct error error;

    ground_require(process_become_broker(&error), "giving up privileges");
    ground_expect(ground, "its holder makes it persistent", 0,
                  try_ioctl(fd, TUNSETPERSIST, (void *)1));
    ground_expect(ground, "gives it to another owner", 0, try_ioctl(fd, TUNSETOWNER, NULL));
    ground_expect(ground, "changes its address", 0, try_ioctl(fd, SIOCSIFHWADDR, &mac));
    ground_expect(ground, "takes its carrier", 0, try_ioctl(fd, TUNSETCARRIER, &carrier));
    ground_expect(ground, "asks for offload", 0,
                  try_ioctl(fd, TUNSETOFFLOAD, (void *)(TUN_F_CSUM | TUN_F_TSO4)));
    ground_expect(ground, "sets its header's size", 0, try_ioctl(fd, TUNSETVNETHDRSZ, &header));
    ground_expect(ground, "lets more frames wait", 0, try_ioctl(fd, TUNSETSNDBUF, &size));
    ground_expect(ground, "sets a filter", 0, try_ioctl(fd, TUNATTACHFILTER, &filter));
    ground_expect(ground, "gives it another name", -EPERM, try_ioctl(s, SIOCSIFNAME, &named));
    ground_expect(ground, "sets its MTU", -EPERM, try_ioctl(s, SIOCSIFMTU, &mtu));
    ground_expect(ground, "names a network namespace by it", -EPERM,
                  try_ioctl(fd, SIOCGSKNS, NULL));
    close(s);
}

static void check_holder(struct ground *ground)
{
    int fd = open_named("nb-held");
    struct attempt stranger = {"nb-held", STRANGER, -EPERM}, owner = {"nb-held", OWNER, -EBUSY};

    ground_in_child(ground, attach, &stranger);
    ground_in_child(ground, attach, &owner); /* while another one holds it */
    ground_in_child(ground, act_as_holder, &fd);
    ground_expect_result(ground, "to delete it", 0, taps_delete(taps_find("nb-held")));
    ground_expect(ground, "it is there then", 0, exists("nb-held"));
    close(fd);
}

/* --- Networks ------------------------------------------------------------------------------ */

static void check_overlap(struct ground *ground)
{
    static const struct {
        const char *network;
        long found;
    } rows[] = {
        {"192.0.2.0/24", 1},  {"192.0.2.128/25", 1},    {"192.0.0.0/16", 1},    {"192.0.3.0/24", 0},
        {"2001:db8::/32", 1}, {"2001:db8:0:1::/64", 0}, {"198.51.100.0/24", 0},
    };
    struct tap_config config = configuration("nb-over");
    char name[INTERFACE_NAME_MAX + 1] = "";
    struct prefix prefix;
    int fd;

    add_host(&config, "192.0.2.1", 24);
    add_host(&config, "2001:db8::1", 64);
    fd = open_tap(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ground_require(prefix_parse(rows[i].network, &prefix), rows[i].network);
        ground_expect(ground, rows[i].network, rows[i].found, taps_find_overlap(&prefix, name));
    }
    ground_expect(ground, "the name of the interface", 0, strcmp(name, "nb-over"));
    close(fd);
}

/* --- Queues -------------------------------------------------------------------------------- */

enum { QUEUES = 4, FLOWS = 64 };

/* The host sends packets of many flows, and asks nobody for the neighbour. How many queues have
 * some. */
static long count_served(const int *fds, unsigned count)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    unsigned char frame[FRAME_MAX];
    long served = 0;

    shell("ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev nb-queues nud permanent");
    inet_pton(AF_INET, "192.0.2.2", &to.sin_addr);
    for (unsigned i = 0; i < FLOWS; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        to.sin_port = htons((uint16_t)(1000 + i));
        ground_require(sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof to) == 1, "to send");
        close(fd);
    }
    for (unsigned i = 0; i < count; i++) {
        served += read_frame(fds[i], 0, 50, frame);
        while (read(fds[i], frame, sizeof frame) > 0)
            ;
    }
    return served;
}

static long set_queue(int fd, short flags)
{
    struct ifreq request = {.ifr_flags = flags};

    return ioctl(fd, TUNSETQUEUE, &request) < 0 ? -errno : 0;
}

static void open_queues(const struct tap_config *config, int *fds)
{
    fds[0] = open_tap(config);
    for (unsigned i = 1; i < QUEUES; i++) {
        fds[i] = taps_open_queue(config);
        ground_require(fds[i] >= 0, "another queue");
    }
}

static void check_queues(struct ground *ground)
{
    struct tap_config config = configuration("nb-queues"), one = configuration("nb-one");
    char frame[FRAME_MAX] = {0};
    int fds[QUEUES], single;

    config.queues = QUEUES;
    add_host(&config, "192.0.2.1", 24);
    open_queues(&config, fds);
    ground_expect(ground, "more than one queue has frames", 1, count_served(fds, QUEUES) > 1);
    close(fds[0]);
    ground_expect(ground, "a tap without its first queue is there", 1, exists("nb-queues"));
    ground_expect(ground, "the others have frames", 1, count_served(fds + 1, QUEUES - 1) > 1);
    ground_expect_result(ground, "its holder takes a queue out", 0,
                         set_queue(fds[1], IFF_DETACH_QUEUE));
    close(fds[2]);
    close(fds[3]);
    ground_expect(ground, "one whose only queue is out is there", 1, exists("nb-queues"));
    close(fds[1]);
    ground_expect(ground, "it is there without any", 0, exists("nb-queues"));

    open_queues(&config, fds);
    ground_expect_result(ground, "a queue is taken out", 0, set_queue(fds[1], IFF_DETACH_QUEUE));
    ground_expect_result(ground, "to delete it", 0, taps_delete(taps_find("nb-queues")));
    ground_expect(ground, "it is there then", 0, exists("nb-queues"));
    for (unsigned i = 0; i < QUEUES; i++) {
        ground_expect_result(ground, "to read from a queue", -EBADFD,
                             read(fds[i], frame, sizeof frame) < 0 ? -errno : 0);
        close(fds[i]);
    }

    single = open_tap(&one);
    ground_expect_result(ground, "another queue of a tap for one", -EBUSY, taps_open_queue(&one));
    one.queues = 2;
    ground_expect_result(ground, "the same, as one for several", -EINVAL, taps_open_queue(&one));
    close(single);
}

/* --- Routes -------------------------------------------------------------------------------- */

static void add_route(struct tap_config *config, const char *network)
{
    ground_require(prefix_parse(network, &config->routes[config->route_count++]), network);
}

static long finds_route(const char *network, char *ret)
{
    struct prefix prefix;

    ground_require(prefix_parse(network, &prefix), network);
    return taps_find_route(&prefix, ret);
}

static void check_routes(struct ground *ground)
{
    static const struct {
        const char *network;
        long found;
    } rows[] = {
        {"198.51.100.0/24", 1}, {"198.51.100.0/25", 0}, {"198.51.0.0/16", 0},
        {"192.0.2.0/24", 1},    {"192.0.2.1/32", 0}, /* of the table local */
        {"2001:db8:2::/48", 1}, {"2001:db8:2::/64", 0}, {"203.0.113.0/24", 1},
        {"203.0.113.0/25", 0}, /* of another table */
    };
    struct tap_config config = configuration("nb-route");
    char name[INTERFACE_NAME_MAX + 1] = "none";
    unsigned char frame[FRAME_MAX];
    int fd;

    add_host(&config, "192.0.2.1", 24);
    add_host(&config, "2001:db8::1", 64);
    add_route(&config, "198.51.100.0/24");
    add_route(&config, "2001:db8:2::/48");
    shell("ip route add unreachable 203.0.113.0/24 && ip route add unreachable 203.0.113.0/25 "
          "table 77");
    fd = open_tap(&config);
    ask_neighbour("198.51.100.7");
    ground_expect(ground, "the host asks the link for a neighbour of a route", 1,
                  read_frame(fd, ETHER_ARP, WAIT_MS, frame) && frame[38] == 198);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ground_expect(ground, rows[i].network, rows[i].found, finds_route(rows[i].network, name));
    ground_expect(ground, "the interface of a route that leads nowhere", 0, strlen(name));
    finds_route("2001:db8:2::/48", name);
    ground_expect(ground, "the interface of a route", 0, strcmp(name, "nb-route"));
    close(fd);
    ground_expect(ground, "a route without its tap", 0, finds_route("198.51.100.0/24", name));
    ground_expect(ground, "the same of IPv6", 0, finds_route("2001:db8:2::/48", name));

    strcpy(config.name, "nb-none");
    config.routes[1] = config.routes[0];
    ground_expect_result(ground, "to open one with a route twice", -EEXIST, taps_open(&config));
    ground_expect(ground, "something of that is left", 0, exists("nb-none"));
    shell("ip route del unreachable 203.0.113.0/24");
}

static void check(struct ground *ground)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        printf("skipped: /dev/net/tun cannot be opened: %s\n", strerror(errno));
        exit(77);
    }
    close(fd);
    check_first_frame(ground);
    check_name(ground);
    check_failures(ground);
    check_delete(ground);
    check_foreign(ground);
    check_together(ground);
    check_ipv6(ground);
    check_bridge(ground);
    check_persistent(ground);
    check_holder(ground);
    check_overlap(ground);
    check_routes(ground);
    check_queues(ground);
}

int main(void)
{
    return ground_run(check);
}
