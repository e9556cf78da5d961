#include "listener.h"

#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { INHERITED_FIRST = 3, BACKLOG = 1024 };

/* --- From the service manager -------------------------------------------------------------- */

static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t length = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

static void take_descriptor(struct kept *kept, int fd, const char *name, size_t length)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (is_listening(fd) && kept->listener_count < LISTENERS_MAX) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        peer_refuse_descriptors(fd);
        kept->listeners[kept->listener_count++] = fd;
    } else if (kept_tables_inherit(&kept->tables, fd, name, length) < 0 &&
               kept_joins_inherit(&kept->joins, fd, name, length) < 0) {
        log_line(LOG_WARNING,
                 "closing the inherited descriptor %d (%.*s), which netbrokerd does not use.", fd,
                 (int)length, name);
        close(fd);
    }
}

void listener_inherit(struct kept *kept)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");

    if (!pid || !count || atol(pid) != (long)getpid())
        return;
    for (int fd = INHERITED_FIRST; fd < INHERITED_FIRST + atoi(count); fd++) {
        size_t length = names ? strcspn(names, ":") : 0;

        take_descriptor(kept, fd, names ? names : "", length);
        if (names)
            names += length + (names[length] == ':');
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

/* --- Of our own ---------------------------------------------------------------------------- */

static bool somebody_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return connected;
}

static void make_folder(const char *path)
{
    char copy[sizeof((struct sockaddr_un *)0)->sun_path];

    snprintf(copy, sizeof copy, "%s", path);
    mkdir(dirname(copy), 0755); /* if it cannot be made, bind says why */
}

/* The mode is there from the first moment: nobody connects in between. */
static int bind_with_mode(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0117);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);

    umask(before);
    return result;
}

static bool remove_stale(const struct sockaddr_un *address, struct error *error)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, ERROR_IN_USE, NULL, "%s exists and is not a socket; remove it",
                         address->sun_path);
    if (somebody_listens(address))
        return error_set(error, ERROR_IN_USE, NULL,
                         "another service answers on %s; stop it, or use --socket",
                         address->sun_path);
    unlink(address->sun_path);
    return true;
}

bool listener_open(const char *path, const char *group, struct kept *kept, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct group *entry = getgrnam(group);
    int fd;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    make_folder(path);
    if (!remove_stale(&address, error))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    peer_refuse_descriptors(fd); /* before anybody can connect */
    if (fd < 0 || bind_with_mode(fd, &address) < 0 || listen(fd, BACKLOG) < 0) {
        error_set(error, ERROR_INTERNAL, NULL, "cannot listen on %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (entry && chown(path, (uid_t)-1, entry->gr_gid) < 0)
        log_line(LOG_WARNING, "cannot give %s to group %s: %s.", path, group, strerror(errno));
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    kept->listeners[kept->listener_count++] = fd;
    return true;
}
