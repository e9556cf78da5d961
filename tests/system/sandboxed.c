/* sandboxed keeper|broker|lender FOLDER SOCKET-FOLDER [FENCE]: confines itself as this half of the
 * service, or as a broker whose actions lend descriptors, with FOLDER as the state file's and a
 * file "socket" in the other, as if the kernel had not this fence, and then tries what such a
 * process must be able to do, and what it must not. Prints what went otherwise than it should; the
 * exit status says whether anything did. */
#include "platform/joins.h"
#include "platform/mroute.h"
#include "platform/realtime.h"
#include "platform/rings.h"
#include "platform/sandbox.h"

#include <net/if.h>
#include <netinet/icmp6.h>

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <linux/netlink.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GUARDED = 8 };

static int pair[2]; /* of sockets */
static int low;     /* a guarded descriptor */

/* As the keeper lends them. */
static struct mroute_socket tables[2];
static int joins[2];

static bool has_taps; /* the system lets this user make them */
static int packets;   /* a packet socket, if this user may make one; else -1 */

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool makes_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* fd: made before; Landlock denies what a filter of arguments in memory cannot see. */
static bool connects_tcp(int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ||
           (errno != EACCES && errno != EPERM);
}

static bool signals(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static bool forks(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    /* What may not even wait has forked all the same. */
    return child > 0 && (waitpid(child, NULL, 0) == child || errno == EPERM);
}

static bool makes_code(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool executes(void)
{
    return execl("/bin/true", "true", NULL) == 0;
}

static bool replaces_state(const char *folder)
{
    char new[256], path[256];

    snprintf(new, sizeof new, "%s/routes.new", folder);
    snprintf(path, sizeof path, "%s/routes", folder);
    return opens(new, O_WRONLY | O_CREAT | O_TRUNC) && rename(new, path) == 0 &&
           opens(path, O_RDONLY) && opens(folder, O_RDONLY | O_DIRECTORY);
}

static bool removes_socket(const char *folder)
{
    char path[256];

    snprintf(path, sizeof path, "%s/socket", folder);
    return unlink(path) == 0;
}

static bool makes_file(const char *folder)
{
    char path[256];

    snprintf(path, sizeof path, "%s/new", folder);
    return opens(path, O_WRONLY | O_CREAT);
}

static int failures;

static void expect(bool expected, bool seen, const char *what)
{
    if (expected == seen)
        return;
    printf("%s: %s\n", what, seen ? "works, and must not" : strerror(errno));
    failures++;
}

static void try_files(const char *folder)
{
    expect(true, replaces_state(folder), "replace the state file");
    expect(true, opens("/etc/passwd", O_RDONLY), "read the names of users");
    expect(true, opens("/dev/null", O_RDWR), "open /dev/null");
    expect(false, opens("/etc/passwd", O_WRONLY), "write the names of users");
    expect(false, opens("/proc/self/status", O_RDONLY), "read /proc");
    expect(false, opens("/bin/sh", O_RDONLY), "read a program");
    expect(false, opens("/tmp/netbroker-sandboxed", O_WRONLY | O_CREAT), "make a file elsewhere");
    expect(false, opens("/", O_RDONLY | O_DIRECTORY), "list a folder");
}

/* --- Lent sockets -------------------------------------------------------------------------- */

static bool sets(int fd, int level, int option)
{
    int value = 1;

    return setsockopt(fd, level, option, &value, sizeof value) == 0 || errno != EPERM;
}

/* Of the broker's own, of IPv4 or IPv6, the length says which; it does not come to the address. */
static bool names_others(int fd, socklen_t length)
{
    struct sockaddr_in6 address = {.sin6_family =
                                       length == sizeof(struct sockaddr_in) ? AF_INET : AF_INET6};

    return sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, length) == 0 || errno != EPERM;
}

static bool connects_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return connect(pair[0], (const struct sockaddr *)&address, sizeof address) == 0 ||
           errno != EPERM;
}

static bool binds(int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4711)};

    return bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool changes_table(const struct mroute_socket *table)
{
    struct mfc_entry entry = {.parent = 0};
    struct mfc_counters counters;
    struct vif_counters vif;

    address_parse(table->family == FAMILY_IPV4 ? "10.0.0.1" : "fd00::1", &entry.source);
    address_parse(table->family == FAMILY_IPV4 ? "239.1.1.1" : "ff0e::1", &entry.group);
    return mroute_vif_add(table, 0, 1) == 0 && mroute_mfc_set(table, &entry) == 0 &&
           mroute_mfc_count(table, &entry.source, &entry.group, &counters) == 0 &&
           mroute_vif_count(table, 0, &vif) == 0 &&
           mroute_mfc_del(table, &entry.source, &entry.group) == 0 &&
           mroute_vif_del(table, 0) == 0 && mroute_tell_wrong_interfaces(table) == 0;
}

static bool joins_group(int fd, const char *group)
{
    struct membership_key key = {.ifindex = 1};

    address_parse(group, &key.group);
    return joins_join(fd, &key) == 0 && joins_leave(fd, &key) == 0;
}

static void try_table4(bool keeper, int fd)
{
    static const struct {
        int level, option;
        const char *what;
    } never[] = {
        {IPPROTO_IP, IP_HDRINCL, "send with a header of its own"},
        {IPPROTO_IP, IP_MULTICAST_IF, "choose an interface to send by"},
        {IPPROTO_IP, IP_ADD_MEMBERSHIP, "join by a table's socket"},
        {IPPROTO_IP, IP_PKTINFO, "ask where packets came from"},
        {IPPROTO_IP, MRT_FLUSH, "flush a table"},
        {SOL_SOCKET, SO_BINDTODEVICE, "bind to an interface"},
        {SOL_SOCKET, SO_DETACH_FILTER, "take a filter off"},
        {SOL_SOCKET, SO_BROADCAST, "send to all"},
        {SOL_SOCKET, SO_PRIORITY, "choose a priority"},
    };

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        expect(false, sets(fd, never[i].level, never[i].option), never[i].what);
    expect(keeper, sets(fd, IPPROTO_IP, MRT_INIT), "take a table (MRT_INIT)");
    expect(keeper, sets(fd, IPPROTO_IP, MRT_TABLE), "choose a table (MRT_TABLE)");
    expect(keeper, sets(fd, SOL_SOCKET, SO_LOCK_FILTER), "lock a filter");
    expect(keeper, sets(fd, IPPROTO_IP, MRT_DONE), "give a table up (MRT_DONE)");
}

static void try_table6(bool keeper, int fd)
{
    expect(false, sets(fd, IPPROTO_IPV6, IPV6_HDRINCL), "send with a header of its own (IPv6)");
    expect(false, sets(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF), "choose an interface (IPv6)");
    expect(keeper, sets(fd, IPPROTO_ICMPV6, ICMP6_FILTER), "open a filter of ICMPv6");
    expect(keeper, sets(fd, IPPROTO_IPV6, MRT6_DONE), "give a table up (MRT6_DONE)");
}

static void try_lent(bool keeper)
{
    for (int i = 0; i < 2; i++) {
        socklen_t length = i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

        expect(true, changes_table(&tables[i]), "change a table");
        expect(false, names_others(tables[i].fd, length), "send a packet somewhere");
        expect(false, names_others(joins[i], length), "send a datagram somewhere");
        expect(false, binds(joins[i]), "listen on a port");
        expect(true, joins_group(joins[i], i == 0 ? "239.1.1.1" : "ff0e::1"), "join a group");
    }
    try_table4(keeper, tables[0].fd);
    try_table6(keeper, tables[1].fd);
}

/* --- Descriptors --------------------------------------------------------------------------- */

/* What a number below 2^32 means to the kernel, whatever stands above it. */
static bool shuts(long fd)
{
    return syscall(SYS_shutdown, fd, SHUT_RDWR) == 0 || errno != EPERM;
}

/* Of the length that netlink's addresses have. */
static bool names(int fd)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0netbroker"};

    return bind(fd, (const struct sockaddr *)&name, sizeof(struct sockaddr_nl)) == 0 ||
           errno != EPERM;
}

static void try_control(void)
{
    int fd = pair[0];

    expect(true, fcntl(fd, F_GETFL) >= 0, "read the flags of a descriptor");
    expect(true, fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "set O_NONBLOCK");
    expect(false, fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0, "set O_ASYNC");
    expect(false, fcntl(fd, F_SETOWN, getppid()) == 0, "send signals for a descriptor (F_SETOWN)");
    expect(false, fcntl(fd, F_SETSIG, SIGKILL) == 0, "choose such a signal (F_SETSIG)");
    expect(false, fcntl(fd, F_SETLEASE, F_RDLCK) == 0 || errno != EPERM, "take a lease on a file");
    expect(false, fcntl(fd, F_SETPIPE_SZ, 1 << 20) == 0 || errno != EPERM, "enlarge a pipe");
    expect(false, ioctl(fd, FIOASYNC, &(int){1}) == 0 || errno != EPERM, "FIOASYNC");
    expect(false, ioctl(fd, FIOSETOWN, &(int){1}) == 0 || errno != EPERM, "FIOSETOWN");
    expect(false, names(low), "give a guarded descriptor a name");
    expect(false, shuts(low), "shut a guarded descriptor");
    expect(false, shuts(low | INT64_C(1) << 32), "shut it by a longer number");
    expect(false, fcntl(low, F_DUPFD_CLOEXEC, GUARDED) >= 0, "copy a guarded descriptor");
    expect(false, fcntl(low, F_DUPFD, GUARDED) >= 0, "copy it otherwise");
    expect(false, dup(low) >= 0, "copy it by dup");
    expect(false, dup2(low, 30) >= 0, "copy it by dup2");
    expect(true, fcntl(fd, F_DUPFD_CLOEXEC, GUARDED) >= 0, "copy a descriptor");
    expect(true, shuts(pair[1]), "shut a connection");
}

static void try_rings(bool keeper)
{
    struct ring_memory shown, lent;
    struct bell bell;
    int fd = memory_make_unsealed("other", 1 << 16), kept;
    struct stat status = {.st_blocks = 1};

    expect(true, ring_memory_make("shown", 1 << 16, MEMORY_SHOWN, &shown) == 0,
           "make memory that is shown");
    kept = fcntl(shown.fd, F_DUPFD_CLOEXEC, GUARDED);
    ring_memory_free(&shown);
    expect(true, fstat(kept, &status) == 0 && status.st_blocks == 0, "give its pages back");
    expect(false, fchmod(fd, 0600) == 0 || errno != EPERM, "let somebody open a file");
    expect(true, fchmod(fd, 0) == 0, "let nobody open a file");
    expect(false, fchmod(low, 0) == 0 || errno != EPERM, "let nobody open the log");
    expect(true, ring_memory_make("lent", 1 << 16, MEMORY_FIXED, &lent) == 0,
           "make memory that is lent");
    expect(true, bell_make(&bell) == 0 && bell_ring(bell.ring), "make a bell and ring it");
    expect(true, bell_has_listener(bell.ring), "see whether somebody listens");
    expect(true, bell_clear(bell.wait), "clear a bell");
    expect(keeper, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0, "seal memory otherwise");
}

/* As if somebody's descriptor were to be given away. */
static bool sends_descriptors(int flags)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    char byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};

    return sendmsg(pair[0], &message, flags) == 1;
}

static bool sends_many(int flags)
{
    char byte = 'x';
    struct iovec vector = {&byte, 1};
    struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}}};

    return sendmmsg(pair[0], messages, 2, flags) == 2;
}

static const struct sockaddr_un outside = {.sun_family = AF_UNIX, .sun_path = "\0netbroker-test"};

/* Before the process is confined: it belongs to others, then. */
static bool listen_outside(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    return bind(s, (const struct sockaddr *)&outside, sizeof outside) == 0 && listen(s, 1) == 0;
}

static bool reaches_abstract_socket(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    bool reached = s >= 0 && connect(s, (const struct sockaddr *)&outside, sizeof outside) == 0;

    close(s);
    return reached;
}

/* The keeper does both to its broker and to the service manager; only Landlock tells them apart. */
static void try_others(bool keeper, bool scoped, pid_t other)
{
    expect(keeper && !scoped, signals(other), "signal a process outside");
    expect(keeper && !scoped, reaches_abstract_socket(), "reach an abstract socket");
}

static bool opens_taps(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq request = {.ifr_name = "nb-boxed", .ifr_flags = IFF_TAP | IFF_NO_PI};
    bool opened = fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0;

    if (fd >= 0)
        close(fd);
    return opened;
}

/* What the broker reads of lent packets, and of a pipe. */
static void try_reading(void)
{
    struct tpacket_stats counts;
    socklen_t length = sizeof counts;
    int error, unread;

    expect(packets >= 0, getsockopt(packets, SOL_PACKET, PACKET_STATISTICS, &counts, &length) == 0,
           "read how many packets were lost");
    length = sizeof error;
    expect(true, getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &length) == 0,
           "take a socket's error");
    expect(true, ioctl(pair[0], FIONREAD, &unread) == 0, "see how much is unread");
}

/* The kernel takes no real-time priority of 0; the cage does not let it be asked. */
static bool asks_for_priority(pid_t pid, int policy)
{
    struct sched_param none = {0};

    return sched_setscheduler(pid, policy, &none) < 0 && errno == EINVAL;
}

static void try_realtime(void)
{
    static const char page[4096];

    expect(true, realtime_lock(page, sizeof page) == 0, "lock a page");
    expect(true, asks_for_priority(0, SCHED_FIFO | SCHED_RESET_ON_FORK),
           "become a real-time thread");
    expect(false, asks_for_priority(0, SCHED_FIFO), "have children that are real-time threads");
    expect(false, asks_for_priority(0, SCHED_RR), "become one of another kind");
    expect(false, asks_for_priority(getppid(), SCHED_FIFO | SCHED_RESET_ON_FORK),
           "change the priority of another");
}

static void try_calls(bool keeper, bool lends, bool landlocked, int tcp)
{
    struct rlimit limit;

    try_rings(keeper);
    try_reading();
    try_realtime();
    expect(keeper && !landlocked, connects_tcp(tcp), "connect by TCP");
    expect(false, executes(), "execve");
    expect(false, syscall(SYS_tgkill, getpid(), getpid(), 0) == 0, "tgkill, but of SIGURG");
    expect(false, ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "ptrace");
    expect(false, setuid(getuid()) == 0, "setuid");
    expect(false, syscall(SYS_unshare, 0) == 0, "unshare");
    expect(false, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "become dumpable");
    expect(false, makes_code(), "make code");
    expect(false, ioctl(tcp, TIOCSTI, "x") == 0 || errno != EPERM, "type into a terminal");
    expect(keeper, makes_socket(AF_PACKET, SOCK_RAW, 0), "make a packet socket");
    expect(false, makes_socket(AF_PACKET, SOCK_RAW, IPPROTO_UDP), "make another packet socket");
    expect(false, makes_socket(AF_PACKET, SOCK_DGRAM, 0), "make one without headers");
    expect(false, makes_socket(AF_INET, SOCK_STREAM, 0), "make a TCP socket");
    expect(keeper, makes_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP), "make a UDP socket");
    expect(keeper, makes_socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), "make a UDP socket of IPv6");
    expect(false, makes_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), "make a ping socket");
    expect(false, makes_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "make a raw ICMP socket");
    expect(keeper, makes_socket(AF_INET, SOCK_RAW, IPPROTO_IGMP), "make a raw IGMP socket");
    expect(keeper || lends, sends_descriptors(MSG_MORE), "send a descriptor");
    expect(keeper, sends_descriptors(0), "send a message that leaves at once");
    expect(keeper || lends, sends_many(MSG_MORE), "send many messages");
    expect(false, sends_many(0), "send many messages that leave at once");
    expect(keeper && has_taps, opens_taps(), "make a tap");
    expect(keeper, forks(), "fork");
    expect(true, makes_socket(AF_NETLINK, SOCK_RAW, 0), "make a routing socket");
    expect(keeper, connects_to("/dev/log"), "connect a Unix socket to another");
    expect(keeper, makes_socket(AF_UNIX, SOCK_STREAM, 0), "make a Unix socket");
    expect(true, getrlimit(RLIMIT_NOFILE, &limit) == 0, "read a limit");
    limit.rlim_cur--;
    expect(false, setrlimit(RLIMIT_NOFILE, &limit) == 0, "set a limit");
    try_lent(keeper);
    try_control();
}

static int above(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, GUARDED);
}

static bool open_lent(void)
{
    static const uint8_t families[] = {FAMILY_IPV4, FAMILY_IPV6};

    for (int i = 0; i < 2; i++) {
        uint32_t number = family_table(families[i], 0);

        tables[i] =
            (struct mroute_socket){mroute_socket_open(families[i], number), families[i], number};
        joins[i] = joins_socket_open(families[i]);
        if (tables[i].fd < 0 || joins[i] < 0)
            return false;
    }
    return true;
}

/* All that is opened later is not guarded. */
static void make_low(void)
{
    low = dup2(pair[0], GUARDED - 1);
    for (int i = 0; i < 2; i++)
        pair[i] = above(pair[i]);
    for (int fd = STDERR_FILENO + 1; fd < GUARDED; fd++)
        dup2(low, fd);
}

static unsigned parse_fence(const char *word)
{
    return strcmp(word, "landlock") == 0  ? FENCE_LANDLOCK
           : strcmp(word, "scopes") == 0  ? FENCE_SCOPES
           : strcmp(word, "seccomp") == 0 ? FENCE_SECCOMP
           : strcmp(word, "passing") == 0 ? FENCE_PASSRIGHTS
                                          : 0;
}

int main(int argc, char **argv)
{
    struct sandbox_report report;
    int tcp;

    if (argc < 4 || argc > 5 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 2;
    make_low();
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    has_taps = opens_taps();
    packets = above(socket(AF_PACKET, SOCK_RAW, 0));
    if (!open_lent() || !listen_outside())
        return 2;

    bool keeper = strcmp(argv[1], "keeper") == 0, lends = strcmp(argv[1], "lender") == 0;
    struct sandbox_needs needs = {
        .readable = {"/etc"},
        .readable_count = 1,
        .writable = argv[2],
        .removable = argv[3],
        .lends = lends,
        .taps = keeper,
        .guarded = GUARDED,
        .without = argc == 5 ? parse_fence(argv[4]) : 0,
    };
    bool scoped = !(needs.without & (FENCE_SCOPES | FENCE_LANDLOCK));

    sandbox_keeper(&needs, &report);
    needs.removable = NULL;
    if (!keeper)
        sandbox_broker(&needs, &report);
    printf("in force: %s\nmissing: %s\nlevel: %d\n", report.in_force, report.missing,
           (int)report.level);
    if (strstr(report.in_force, "landlock")) {
        try_files(argv[2]);
        expect(false, makes_file(argv[3]), "make a file in the socket's folder");
        expect(keeper, removes_socket(argv[3]), "remove the socket");
    }
    if (strstr(report.in_force, "seccomp")) {
        try_others(keeper, scoped, getppid());
        try_calls(keeper, lends, strstr(report.in_force, "landlock"), tcp);
    } else {
        expect(!scoped, signals(getppid()), "signal a process outside");
    }
    return failures > 0;
}
