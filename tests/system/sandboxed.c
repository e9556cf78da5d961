/* sandboxed keeper|broker FOLDER: confines itself as this half of the service, with FOLDER as the
 * state file's, and then tries what such a process must be able to do, and what it must not. Prints
 * what went otherwise than it should; the exit status says whether anything did. */
#include "platform/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

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
    return child > 0 && waitpid(child, NULL, 0) == child;
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

static void try_calls(bool keeper, pid_t other, int tcp)
{
    struct rlimit limit;

    expect(false, connects_tcp(tcp), "connect by TCP");
    expect(false, executes(), "execve");
    expect(false, ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "ptrace");
    expect(false, setuid(getuid()) == 0, "setuid");
    expect(false, syscall(SYS_unshare, 0) == 0, "unshare");
    expect(false, signals(other), "signal a process outside");
    expect(false, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "become dumpable");
    expect(false, makes_code(), "make code");
    expect(false, ioctl(tcp, TIOCSTI, "x") == 0 || errno != EPERM, "type into a terminal");
    expect(false, makes_socket(AF_PACKET, SOCK_RAW, 0), "make a packet socket");
    expect(false, makes_socket(AF_INET, SOCK_STREAM, 0), "make a TCP socket");
    expect(keeper, makes_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP), "make a UDP socket");
    expect(keeper, makes_socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), "make a UDP socket of IPv6");
    expect(false, makes_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), "make a ping socket");
    expect(false, makes_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "make a raw ICMP socket");
    expect(keeper, makes_socket(AF_INET, SOCK_RAW, IPPROTO_IGMP), "make a raw IGMP socket");
    expect(keeper, forks(), "fork");
    expect(true, makes_socket(AF_NETLINK, SOCK_RAW, 0), "make a routing socket");
    expect(true, makes_socket(AF_UNIX, SOCK_STREAM, 0), "make a Unix socket");
    expect(true, getrlimit(RLIMIT_NOFILE, &limit) == 0, "read a limit");
    limit.rlim_cur--;
    expect(false, setrlimit(RLIMIT_NOFILE, &limit) == 0, "set a limit");
}

int main(int argc, char **argv)
{
    struct sandbox_report report;
    int tcp = socket(AF_INET, SOCK_STREAM, 0);

    if (argc != 3)
        return 2;

    struct sandbox_needs needs = {{"/etc"}, 1, argv[2], false};
    bool keeper = strcmp(argv[1], "keeper") == 0;

    sandbox_keeper(&needs, &report);
    if (!keeper)
        sandbox_broker(&needs, &report);
    printf("in force: %s\nmissing: %s\n", report.in_force, report.missing);
    try_files(argv[2]);
    if (strstr(report.in_force, "seccomp"))
        try_calls(keeper, getppid(), tcp);
    return failures > 0;
}
