/* The acts of holders.h that are done with files, memory and Unix sockets. */
#include "holders.h"

#include "fdpass.h"
#include "keeper/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS /* include/uapi/asm-generic/socket.h, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

enum { PAGE = 4096 };

static const char *path_in(const char *folder, const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static bool makes_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* To a socket that nobody reads. */
static bool gives(int socket, int fd)
{
    static const struct fdpass_target peer = {NULL, 0};

    return fdpass_send(socket, &peer, "x", 1, fd) == 0;
}

/* --- The kernel's counters ----------------------------------------------------------------- */

bool counters_read(const struct held *held, int which)
{
    char text[64];

    return pread(held->counters[which], text, sizeof text, 0) > 0;
}

bool counters_write(const struct held *held, int which)
{
    return write(held->counters[which], "0", 1) > 0;
}

bool counters_beside(const struct held *held, int which)
{
    int fd = openat(held->counters[which], "../route", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* --- The journal --------------------------------------------------------------------------- */

bool journal_write(const struct held *held, int which)
{
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, held->journal, 0);

    (void)which;
    if (memory == MAP_FAILED)
        return false;
    memory[0] = 'x';
    munmap(memory, PAGE);
    return true;
}

bool journal_resize(const struct held *held, int which)
{
    struct stat status;

    (void)which;
    return fstat(held->journal, &status) == 0 &&
           (ftruncate(held->journal, status.st_size + PAGE) == 0 ||
            ftruncate(held->journal, 0) == 0 ||
            pwrite(held->journal, "x", 1, status.st_size) == 1 ||
            fallocate(held->journal, 0, status.st_size, PAGE) == 0);
}

bool journal_seal(const struct held *held, int which)
{
    (void)which;
    return fcntl(held->journal, F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

/* Where it may be executed, the kernel says that it is no program. */
bool journal_code(const struct held *held, int which)
{
    static char *const none[] = {NULL};
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, held->journal, 0);

    (void)which;
    if (memory != MAP_FAILED) {
        munmap(memory, PAGE);
        return true;
    }
    fexecve(held->journal, none, none);
    return errno == ENOEXEC;
}

/* --- The folder of the state file ----------------------------------------------------------- */

bool folder_files(const struct held *held, int which)
{
    char new[PATH_MAX], path[PATH_MAX];

    (void)which;
    path_in(held->folder, "routes", path);
    return makes_file(path) && makes_file(path_in(held->folder, "routes.new", new)) &&
           rename(new, path) == 0 && unlink(path) == 0;
}

bool folder_folder(const struct held *held, int which)
{
    char path[PATH_MAX];
    bool made = mkdir(path_in(held->folder, "folder", path), 0700) == 0;

    (void)which;
    return made && rmdir(path) == 0;
}

bool folder_link(const struct held *held, int which)
{
    char path[PATH_MAX], other[PATH_MAX];

    (void)which;
    path_in(held->folder, "link", path);
    return makes_file(path_in(held->folder, "file", other)) &&
           (symlink("/etc/passwd", path) == 0 || link(other, path) == 0);
}

bool folder_socket(const struct held *held, int which)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound;

    (void)which;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", held->folder);
    bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return bound || mkfifo(path_in(held->folder, "pipe", path), 0600) == 0;
}

bool folder_mode(const struct held *held, int which)
{
    char path[PATH_MAX];

    (void)which;
    path_in(held->folder, "file", path);
    return makes_file(path) && chmod(path, 0644) == 0;
}

/* By a descriptor: what rings are shown by (platform/memory.h). */
bool folder_mode_none(const struct held *held, int which)
{
    char path[PATH_MAX];
    int fd;
    bool changed;

    (void)which;
    fd = open(path_in(held->folder, "shut", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    changed = fd >= 0 && fchmod(fd, 0) == 0;
    if (fd >= 0)
        close(fd);
    unlink(path);
    return changed;
}

bool folder_out(const struct held *held, int which)
{
    char path[PATH_MAX], other[PATH_MAX];

    (void)which;
    path_in(held->folder, "file", path);
    path_in(held->elsewhere, "file", other);
    return makes_file(other) || (makes_file(path) && rename(path, other) == 0);
}

/* --- The listening socket ------------------------------------------------------------------ */

/* The script connects all the time. */
bool listener_accept(const struct held *held, int which)
{
    int fd = -1;

    (void)which;
    for (int i = 0; i < 100 && fd < 0; i++) {
        fd = accept4(held->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            poll(NULL, 0, 10);
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool listener_queue(const struct held *held, int which)
{
    (void)which;
    return listen(held->listener, 1) == 0;
}

/* Where the kernel has no such option, all may send some all the time. */
bool listener_descriptors(const struct held *held, int which)
{
    int yes = 1;

    (void)which;
    return setsockopt(held->listener, SOL_SOCKET, SO_PASSRIGHTS, &yes, sizeof yes) == 0 ||
           errno == ENOPROTOOPT;
}

bool listener_give(const struct held *held, int which)
{
    int pair[2];

    (void)which;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
           gives(pair[0], held->listener);
}

bool listener_shut(const struct held *held, int which)
{
    (void)which;
    return shutdown(held->listener, SHUT_RDWR) == 0;
}

/* --- To the keeper ------------------------------------------------------------------------- */

bool channel_ask(const struct held *held, int which)
{
    struct keeper_request request = {.operation = KEEPER_ALIVE};

    (void)which;
    return write(held->requests, &request, sizeof request) == (ssize_t)sizeof request;
}

bool channel_overhear(const struct held *held, int which)
{
    char path[32], byte;
    int fd;

    (void)which;
    snprintf(path, sizeof path, "/proc/self/fd/%d", held->requests);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 || read(held->requests, &byte, 1) > 0;
}

bool channel_send(const struct held *held, int which)
{
    (void)which;
    return send(held->answers, "x", 1, 0) > 0;
}

bool channel_give(const struct held *held, int which)
{
    (void)which;
    return gives(held->answers, held->journal);
}

/* --- The log, which in the test is a file, and the manager ---------------------------------- */

bool log_write(const struct held *held, int which)
{
    static const char line[] = "a holder writes\n";

    (void)held, (void)which;
    return write(STDERR_FILENO, line, sizeof line - 1) > 0;
}

bool log_cut(const struct held *held, int which)
{
    (void)held, (void)which;
    return ftruncate(STDERR_FILENO, 0) == 0;
}

bool manager_tell(const struct held *held, int which)
{
    static const char state[] = "FDSTOREREMOVE=1\nFDNAME=journal";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)held, (void)which;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", getenv("NOTIFY_SOCKET"));
    if (fd < 0)
        return false;
    if (sendto(fd, state, sizeof state, 0, (struct sockaddr *)&address, sizeof address) > 0)
        return true;
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           send(fd, state, sizeof state, 0) > 0;
}
