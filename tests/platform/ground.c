#include "ground.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <net/ethernet.h>

/* --- What is printed ----------------------------------------------------------------------- */

void ground_require(bool done, const char *what)
{
    if (done)
        return;
    printf("cannot prepare: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void print_line(struct ground *ground, bool holds, const char *assumption)
{
    ground->failures += !holds;
    printf("%s  %s%s%s: ", holds ? "holds" : "FAILS", ground->family ? ground->family : "",
           ground->family ? ": " : "", assumption);
}

void ground_expect(struct ground *ground, const char *assumption, long expected, long seen)
{
    print_line(ground, expected == seen, assumption);
    printf("expected %ld, saw %ld\n", expected, seen);
}

void ground_expect_result(struct ground *ground, const char *assumption, int expected, int seen)
{
    print_line(ground, expected == seen, assumption);
    printf("expected \"%s\", saw \"%s\"\n", strerror(-expected), strerror(-seen));
}

/* --- Links --------------------------------------------------------------------------------- */

/* ip(8), in the namespace that this process is in; the arguments end with NULL. */
static void run_ip(const char *const arguments[])
{
    pid_t pid;
    int status;

    errno = posix_spawnp(&pid, "ip", NULL, NULL, (char *const *)arguments, environ);
    ground_require(errno == 0, "ip");
    ground_require(waitpid(pid, &status, 0) == pid && status == 0, "ip link");
}

static void set_up(const char *name)
{
    run_ip((const char *[]){"ip", "link", "set", name, "up", NULL});
}

/* A socket stays in the namespace that it was made in. */
static int open_end(const char *name)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(name),
    };
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ground_require(fd >= 0, "packet socket");
    ground_require(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0, name);
    return fd;
}

/* The kernel gives a link its carrier a moment after its second end went up. */
static void wait_until_running(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    for (unsigned i = 0; i < 2000 && !(request.ifr_flags & IFF_RUNNING); i++) {
        ground_require(ioctl(fd, SIOCGIFFLAGS, &request) == 0, name);
        usleep(1000);
    }
    ground_require(request.ifr_flags & IFF_RUNNING, "a link that runs");
    close(fd);
}

void ground_netif_add(struct ground *ground, unsigned i)
{
    char name[IFNAMSIZ], far[64];

    snprintf(name, sizeof name, "r%u", i);
    snprintf(far, sizeof far, "/proc/%d/fd/%d", (int)getpid(), ground->far);
    run_ip((const char *[]){"ip", "link", "add", name, "type", "veth", "peer", "name", name,
                            "netns", far, NULL});
    set_up(name);
    ground_require(setns(ground->far, CLONE_NEWNET) == 0, "far namespace");
    set_up(name);
    ground->netifs[i].end = open_end(name);
    ground_require(setns(ground->near, CLONE_NEWNET) == 0, "near namespace");
    wait_until_running(name);
    ground->netifs[i].ifindex = if_nametoindex(name);
}

void ground_netif_del(struct ground *ground, unsigned i)
{
    char name[IFNAMSIZ];

    snprintf(name, sizeof name, "r%u", i);
    run_ip((const char *[]){"ip", "link", "del", name, NULL});
    close(ground->netifs[i].end);
    ground->netifs[i].ifindex = 0;
    ground->netifs[i].end = -1;
}

/* --- Namespaces ---------------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return done;
}

/* user_namespaces(7): a process may map its own ids without privileges, once setgroups is off. */
static bool enter_user_namespace(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[32];

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    ground_require(write_file("/proc/self/setgroups", "deny"), "setgroups");
    snprintf(map, sizeof map, "0 %u 1", uid);
    ground_require(write_file("/proc/self/uid_map", map), "uid_map");
    snprintf(map, sizeof map, "0 %u 1", gid);
    ground_require(write_file("/proc/self/gid_map", map), "gid_map");
    return true;
}

static int open_namespace(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    ground_require(fd >= 0, "/proc/self/ns/net");
    return fd;
}

/* Packets from addresses that no route leads back to are the ones that are sent here. */
static void allow_any_source(void)
{
    write_file("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
    write_file("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
}

static void ground_open(struct ground *ret)
{
    *ret = (struct ground){.near = -1, .far = -1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    if (unshare(CLONE_NEWNET) < 0 && !enter_user_namespace()) {
        printf("skipped: namespaces cannot be made here: %s\n", strerror(errno));
        exit(77);
    }
    ret->far = open_namespace();
    ground_require(unshare(CLONE_NEWNET) == 0, "second network namespace");
    ret->near = open_namespace();
    allow_any_source();
    set_up("lo");
    for (unsigned i = 0; i < LINKS; i++)
        ground_netif_add(ret, i);
}

int ground_run(void (*check)(struct ground *))
{
    struct ground ground;

    ground_open(&ground);
    check(&ground);
    return ground.failures ? 1 : 0;
}

int ground_run_families(void (*check)(struct ground *, uint8_t))
{
    struct ground ground;

    ground_open(&ground);
    ground.family = "IPv4";
    check(&ground, FAMILY_IPV4);
    ground.family = "IPv6";
    check(&ground, FAMILY_IPV6);
    return ground.failures ? 1 : 0;
}

void ground_in_child(struct ground *ground, void (*function)(struct ground *, void *),
                     void *context)
{
    pid_t pid = fork();
    int status;

    ground_require(pid >= 0, "fork");
    if (pid == 0) {
        ground->failures = 0;
        function(ground, context);
        _exit(ground->failures ? 1 : 0);
    }
    ground_require(waitpid(pid, &status, 0) == pid, "waitpid");
    ground->failures += status != 0;
}

/* --- Routes -------------------------------------------------------------------------------- */

struct mroute_socket ground_router_open(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = {mroute_socket_open(family, family_table(family, 0)), family,
                              family_table(family, 0)};

    errno = s.fd < 0 ? -s.fd : 0;
    ground_require(s.fd >= 0, "multicast routing socket");
    for (unsigned i = 0; i < LINKS; i++)
        ground_require(mroute_vif_add(&s, i, ground->netifs[i].ifindex) == 0, "VIF");
    return s;
}

struct mfc_entry ground_entry(uint8_t family, uint8_t group, unsigned oifs)
{
    bool is_v4 = family == FAMILY_IPV4;
    struct mfc_entry entry = {.parent = 0};

    ground_require(address_parse(is_v4 ? "10.1.0.2" : "fd00:1::2", &entry.source) &&
                       address_parse(is_v4 ? "239.1.1.0" : "ff1e::", &entry.group),
                   "addresses");
    entry.group.bytes[is_v4 ? 3 : 15] = group;
    for (unsigned vif = 0; vif < LINKS; vif++)
        entry.ttls[vif] = oifs >> vif & 1;
    return entry;
}
