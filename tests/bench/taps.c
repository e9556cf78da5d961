/* How long it takes to get a tap.
 *
 * usage: taps held COUNT           of the service, over one connection: from request to descriptor
 *        taps made COUNT           the same of taps that are none of its spares
 *        taps spare COUNT          the same, one in 50 ms, while a process makes interfaces and
 *                                  destroys them without end
 *        taps ping COUNT           a request that needs no tap, likewise
 *        taps closed COUNT         has the service close as many, which are open
 *        taps exec COMMAND...      what COMMAND does: runs "$0 now", with a tap, as its last words
 *        taps helper COMMAND...    a bridge helper of QEMU's: until its descriptor is here
 *        taps storm COUNT          opens and closes as many
 *        taps returned COUNT       opens as many, and has the service close each
 *        taps now                  prints the clock
 *
 * Prints the median in microseconds; of 'storm', 'returned' and 'closed', the seconds that all
 * took. Of the others, each tap is closed by a process of its own while the next one is asked for:
 * the kernel takes long to destroy it. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMANDS = 60, ARGUMENTS_MAX = 32, TEXT_MAX = 65536 };

/* --- Descriptors ----------------------------------------------------------------------------- */

/* Reads what is there, with the descriptor that came with it, if any. */
static ssize_t receive(int from, char *bytes, size_t size, int *ret_fd)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec piece = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(header), sizeof *ret_fd);
    return n;
}

/* Passes it to the process that closes what it is given. */
static void throw_away(int closer, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    bench_require(sendmsg(closer, &message, 0) == 1, "sendmsg");
    close(fd);
}

static void close_all(int from)
{
    char byte;
    int fd;

    for (fd = -1; receive(from, &byte, 1, &fd) > 0; fd = -1)
        close(fd);
    _exit(0);
}

static int start_closer(pid_t *ret_pid)
{
    int ends[2];

    bench_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    *ret_pid = fork();
    bench_require(*ret_pid >= 0, "fork");
    if (*ret_pid == 0) {
        close(ends[0]);
        close_all(ends[1]);
    }
    close(ends[1]);
    return ends[0];
}

static void end_closer(int closer, pid_t pid)
{
    close(closer);
    waitpid(pid, NULL, 0);
}

/* --- Over a connection ----------------------------------------------------------------------- */

static const char any[] = "{\"action\":\"OPEN_TAP\"}";
/* No spare has an address of the user's choice. */
static const char another[] =
    "{\"action\":\"OPEN_TAP\",\"payload\":{\"mac\":\"52:54:00:00:00:01\"}}";

static char text[TEXT_MAX]; /* the last reply */

/* Returns the descriptor that came with the reply; -1: none. */
static int exchange(int service, const char *request)
{
    size_t length = 0;
    int fd = -1;

    bench_require(send(service, request, strlen(request), MSG_NOSIGNAL) > 0, "send");
    while (length == 0 || text[length - 1] != '\n') {
        ssize_t n = receive(service, text + length, sizeof text - 1 - length, &fd);

        bench_require(n > 0, "the reply");
        length += (size_t)n;
    }
    text[length] = '\0';
    return fd;
}

/* -1: there are too many at the moment. */
static int try_ask(int service, const char *request)
{
    int fd = exchange(service, request);

    if (fd >= 0 || strstr(text, "\"code\":\"limit\""))
        return fd;
    fprintf(stderr, "%s", text);
    exit(1);
}

static int ask(int service, const char *request)
{
    int fd = try_ask(service, request);

    bench_require(fd >= 0, "a tap");
    return fd;
}

static void held(size_t count, const char *request, unsigned pause_us)
{
    double *each = bench_array(count, sizeof *each);
    int service = bench_connect();
    pid_t pid;
    int closer = start_closer(&pid);

    for (size_t i = 0; i < count; i++) {
        double start;
        int fd;

        usleep(pause_us);
        start = bench_now();
        fd = ask(service, request);
        each[i] = bench_now() - start;
        throw_away(closer, fd);
    }
    end_closer(closer, pid);
    printf("%.0f\n", bench_median(each, count));
    free(each);
}

/* Makes interfaces and destroys them, until it is killed. */
static pid_t start_destroyer(void)
{
    pid_t pid = fork();

    bench_require(pid >= 0, "fork");
    while (pid == 0) {
        struct ifreq request = {.ifr_name = "busy%d", .ifr_flags = IFF_TAP | IFF_NO_PI};
        int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

        bench_require(fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0, "a tap to be destroyed");
        close(fd);
    }
    return pid;
}

enum { PAUSE_US = 50000 };

static void ping(size_t count)
{
    double *each = bench_array(count, sizeof *each);
    int service = bench_connect();

    for (size_t i = 0; i < count; i++) {
        double start;

        usleep(PAUSE_US);
        start = bench_now();
        exchange(service, "{\"action\":\"PING\"}");
        each[i] = bench_now() - start;
    }
    close(service);
    printf("%.0f\n", bench_median(each, count));
    free(each);
}

static void spare(size_t count, int pings)
{
    pid_t destroyer = start_destroyer();
    int service = bench_connect();

    close(ask(service, any)); /* from then on there are spares */
    close(service);
    sleep(1);
    if (pings)
        ping(count);
    else
        held(count, any, PAUSE_US);
    kill(destroyer, SIGKILL);
    waitpid(destroyer, NULL, 0);
}

/* Of the tap that the last reply brought. */
static void read_name(char ret[IFNAMSIZ])
{
    const char *name = strstr(text, "\"name\":\"");

    bench_require(name && sscanf(name, "\"name\":\"%15[^\"]", ret) == 1, "its name");
}

static void give_back(int service, const char *name)
{
    char request[96];

    snprintf(request, sizeof request, "{\"action\":\"CLOSE_TAP\",\"payload\":{\"name\":\"%s\"}}",
             name);
    exchange(service, request);
    bench_require(strstr(text, "success") != NULL, "to close it");
}

/* Closes what has ended, in the order in which it began; that is done at once. */
static size_t close_ended(const int *fds, size_t first, size_t end, int patience_ms)
{
    struct pollfd polled = {.fd = first < end ? fds[first] : -1};

    while (first < end && poll(&polled, 1, patience_ms) == 1 && polled.revents & POLLERR) {
        close(fds[first++]);
        polled.fd = first < end ? fds[first] : -1;
    }
    return first;
}

static void wait_for_ends(const int *fds, size_t first, size_t end)
{
    while (first < end)
        first = close_ended(fds, first, end, 1);
}

static void closed(size_t count)
{
    char(*names)[IFNAMSIZ] = bench_array(count, sizeof *names);
    int *fds = bench_array(count, sizeof *fds), service = bench_connect();
    double start;

    for (size_t i = 0; i < count; i++) {
        fds[i] = ask(service, any);
        read_name(names[i]);
    }
    start = bench_now();
    for (size_t i = 0; i < count; i++)
        give_back(service, names[i]);
    wait_for_ends(fds, 0, count);
    printf("%.2f\n", (bench_now() - start) / 1e6);
    free(names);
    free(fds);
}

/* The service takes note of the ends later than the kernel: who comes too often waits a little. */
static void storm(size_t count)
{
    double start = bench_now();
    int service = bench_connect(), fd;

    for (size_t i = 0; i < count; i++) {
        while ((fd = try_ask(service, any)) < 0)
            usleep(1000);
        close(fd);
    }
    printf("%.2f\n", (bench_now() - start) / 1e6);
}

/* It keeps each descriptor until the kernel has no tap behind it: to close the last one of a tap
 * that is there would end that in close(2). */
static void returned(size_t count)
{
    int *fds = bench_array(count, sizeof *fds), service = bench_connect();
    double start = bench_now();
    char name[IFNAMSIZ];
    size_t ended = 0;

    for (size_t i = 0; i < count; i++) {
        while ((fds[i] = try_ask(service, any)) < 0)
            usleep(1000);
        read_name(name);
        give_back(service, name);
        ended = close_ended(fds, ended, i + 1, 0);
    }
    wait_for_ends(fds, ended, count);
    printf("%.2f\n", (bench_now() - start) / 1e6);
    free(fds);
}

/* --- A command ------------------------------------------------------------------------------- */

static pid_t spawn(char **command, int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    bench_require(posix_spawn(&pid, command[0], &actions, NULL, command, environ) == 0, command[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void end(pid_t pid, const char *what)
{
    int status;

    bench_require(waitpid(pid, &status, 0) == pid && status == 0, what);
}

/* The command ends with the tap, and so its end is waited for apart. */
static double until_it_runs(char **command)
{
    char said[64] = "";
    int ends[2];
    double start = bench_now();
    pid_t pid;

    bench_require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    pid = spawn(command, ends[1]);
    close(ends[1]);
    bench_require(read(ends[0], said, sizeof said - 1) > 0, "what it printed");
    close(ends[0]);
    end(pid, command[0]);
    return atof(said) - start;
}

static double until_it_helped(char **command, int closer)
{
    char option[32], byte, *words[ARGUMENTS_MAX + 2] = {NULL};
    int ends[2], fd = -1, count = 0;
    double start = bench_now(), used;
    pid_t pid;

    bench_require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    snprintf(option, sizeof option, "--fd=%d", ends[1]);
    for (; command[count]; count++)
        words[count] = command[count];
    words[count] = option;
    pid = spawn(words, -1);
    close(ends[1]);
    bench_require(receive(ends[0], &byte, 1, &fd) == 1 && fd >= 0, "a tap");
    used = bench_now() - start;
    end(pid, command[0]);
    throw_away(closer, fd);
    close(ends[0]);
    return used;
}

static void run_often(char **command, int helps)
{
    double each[COMMANDS];
    pid_t pid;
    int closer = start_closer(&pid);

    for (size_t i = 0; i < COMMANDS; i++)
        each[i] = helps ? until_it_helped(command, closer) : until_it_runs(command);
    end_closer(closer, pid);
    printf("%.0f\n", bench_median(each, COMMANDS));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "now") == 0) {
        printf("%.1f\n", bench_now());
        return 0;
    }
    if (argc < 3 || argc > ARGUMENTS_MAX)
        return 2;
    if (strcmp(argv[1], "held") == 0)
        held((size_t)atoi(argv[2]), any, 0);
    else if (strcmp(argv[1], "made") == 0)
        held((size_t)atoi(argv[2]), another, 0);
    else if (strcmp(argv[1], "spare") == 0)
        spare((size_t)atoi(argv[2]), 0);
    else if (strcmp(argv[1], "ping") == 0)
        spare((size_t)atoi(argv[2]), 1);
    else if (strcmp(argv[1], "closed") == 0)
        closed((size_t)atoi(argv[2]));
    else if (strcmp(argv[1], "storm") == 0)
        storm((size_t)atoi(argv[2]));
    else if (strcmp(argv[1], "returned") == 0)
        returned((size_t)atoi(argv[2]));
    else
        run_often(argv + 2, strcmp(argv[1], "helper") == 0);
    return 0;
}
