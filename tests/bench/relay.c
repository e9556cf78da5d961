/* What a relay between two taps costs at least: the same way of a frame, and nothing else. No
 * switch, no counters, no neighbours.
 *
 * usage:
 *
 *     relay pair NAMESPACE TAP NAMESPACE TAP    two taps, frame by frame, in one process
 *     relay listen NAMESPACE TAP PATH           a tap and a socket: up to 64 frames a write
 *     relay connect NAMESPACE TAP PATH          the other end of it
 *     relay exec NAMESPACE TAP COMMAND...       runs a command that has the tap as descriptor 3
 *
 * The framing is u16le. With +offload behind the first word, it is u32be, and taps have
 * IFF_VNET_HDR, and leave checksums and TCP's segmentation to each other. A namespace is the path
 * of its file, e.g. /proc/PID/ns/net. Each tap is made there, and up. Without end, but for `exec`.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    FRAMES = 64,
    FRAME_MAX = 65535,
    SUPER_FRAME_MAX = FRAME_MAX + 14 + 12,
    BUFFER = 512 << 10,
    SOCKET_BYTES = 1 << 20
};

/* --- Taps ------------------------------------------------------------------------------------ */

static void enter(const char *namespace)
{
    int fd = open(namespace, O_RDONLY | O_CLOEXEC);

    bench_require(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, namespace);
    close(fd);
}

static void set_up(const char *name)
{
    struct ifreq request = {.ifr_flags = 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    bench_require(ioctl(fd, SIOCGIFFLAGS, &request) == 0, name);
    request.ifr_flags |= IFF_UP;
    bench_require(ioctl(fd, SIOCSIFFLAGS, &request) == 0, name);
    close(fd);
}

static int offload; /* whether taps have it */

static void set_offload(int fd)
{
    int size = 12;

    bench_require(ioctl(fd, TUNSETVNETHDRSZ, &size) == 0, "TUNSETVNETHDRSZ");
    bench_require(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0,
                  "TUNSETOFFLOAD");
}

static int open_tap(const char *namespace, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0)};
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int fd;

    enter(namespace);
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    bench_require(own >= 0 && fd >= 0, "/dev/net/tun");
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    bench_require(ioctl(fd, TUNSETIFF, &request) == 0, name);
    if (offload)
        set_offload(fd);
    set_up(name);
    bench_require(setns(own, CLONE_NEWNET) == 0, "the own namespace");
    close(own);
    return fd;
}

/* --- Two taps -------------------------------------------------------------------------------- */

static void copy_turn(int from, int to)
{
    static unsigned char frame[SUPER_FRAME_MAX];

    for (unsigned i = 0; i < FRAMES; i++) {
        ssize_t n = read(from, frame, sizeof frame);

        if (n <= 0)
            return;
        bench_require(write(to, frame, (size_t)n) == n || errno == EAGAIN, "write");
    }
}

static void pair(int first, int second)
{
    struct pollfd polled[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};

    for (;;) {
        bench_require(poll(polled, 2, -1) > 0, "poll");
        if (polled[0].revents)
            copy_turn(first, second);
        if (polled[1].revents)
            copy_turn(second, first);
    }
}

/* --- A tap and a socket ---------------------------------------------------------------------- */

struct way {
    int tap, peer;
    unsigned char in[BUFFER], out[BUFFER];
    size_t got;        /* bytes of in */
    size_t sent, made; /* bytes of out */
};

static size_t header_size(void)
{
    return offload ? 4 : 2;
}

static size_t read_header(const unsigned char *at)
{
    if (offload)
        return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return at[0] | (size_t)at[1] << 8;
}

static void write_header(unsigned char *at, size_t length)
{
    for (size_t i = 0; i < header_size(); i++)
        at[i] = (unsigned char)(length >> 8 * (offload ? 3 - i : i));
}

static void take_stream(struct way *way)
{
    size_t header = header_size();
    ssize_t n = recv(way->peer, way->in + way->got, sizeof way->in - way->got, MSG_DONTWAIT);
    size_t at = 0;

    if (n == 0)
        exit(0);
    if (n > 0)
        way->got += (size_t)n;
    while (way->got - at >= header) {
        size_t length = read_header(way->in + at);

        if (way->got - at < header + length)
            break;
        bench_require(write(way->tap, way->in + at + header, length) > 0 || errno == EAGAIN,
                      "write");
        at += header + length;
    }
    memmove(way->in, way->in + at, way->got -= at);
}

static void take_tap(struct way *way)
{
    size_t header = header_size(), most = offload ? SUPER_FRAME_MAX : FRAME_MAX;

    for (unsigned i = 0; i < FRAMES && way->made + header + most <= sizeof way->out; i++) {
        unsigned char *at = way->out + way->made;
        ssize_t n = read(way->tap, at + header, most);

        if (n <= 0)
            return;
        write_header(at, (size_t)n);
        way->made += header + (size_t)n;
    }
}

static void give_stream(struct way *way)
{
    ssize_t n =
        send(way->peer, way->out + way->sent, way->made - way->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    bench_require(n >= 0 || errno == EAGAIN, "send");
    if (n > 0)
        way->sent += (size_t)n;
    if (way->sent == way->made)
        way->sent = way->made = 0;
}

static void relay(struct way *way)
{
    struct pollfd polled[2] = {{.fd = way->tap}, {.fd = way->peer}};

    for (;;) {
        polled[0].events = way->made ? 0 : POLLIN;
        polled[1].events = (short)(POLLIN | (way->made ? POLLOUT : 0));
        bench_require(poll(polled, 2, -1) > 0, "poll");
        if (polled[1].revents & (POLLIN | POLLHUP))
            take_stream(way);
        if (polled[0].revents)
            take_tap(way);
        if (way->made)
            give_stream(way);
    }
}

static int accept_one(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    bench_require(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0, path);
    bench_require(listen(fd, 1) == 0, path);
    return accept(fd, NULL, NULL);
}

static int meet(const char *path, int listens)
{
    int fd = listens ? accept_one(path) : bench_try_connect(path), size = SOCKET_BYTES;

    bench_require(fd >= 0, path);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/* --------------------------------------------------------------------------------------------- */

static int run(int tap, char **command)
{
    bench_require(dup2(tap, 3) == 3, "dup2");
    if (tap == 3)
        fcntl(3, F_SETFD, 0);
    execvp(command[0], command);
    bench_require(0, command[0]);
    return 1;
}

int main(int argc, char **argv)
{
    struct way *way = bench_array(1, sizeof *way);

    char *option;

    if (argc < 5)
        return 2;
    option = strchr(argv[1], '+');
    offload = option && strcmp(option, "+offload") == 0;
    if (option)
        *option = '\0';
    way->tap = open_tap(argv[2], argv[3]);
    if (strcmp(argv[1], "exec") == 0)
        return run(way->tap, argv + 4);
    if (strcmp(argv[1], "pair") == 0)
        pair(way->tap, open_tap(argv[4], argv[5]));
    way->peer = meet(argv[4], strcmp(argv[1], "listen") == 0);
    relay(way);
    return 0;
}
