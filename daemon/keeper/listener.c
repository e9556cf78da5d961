#include "listener.h"

#include "descriptors.h"
#include "limit.h"
#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <table.h> /* of libproto, not ours */
#include <time.h>
#include <unistd.h>

enum {
    INHERITED_FIRST = 3, /* SD_LISTEN_FDS_START of sd_listen_fds(3) */
    PATIENCE = 25,
    PAUSE_NS = 20 * 1000 * 1000,
};

/* As long as no action takes any. */
static void refuse_descriptors(int fd)
{
    if (!actions_take_fds())
        peer_refuse_descriptors(fd);
}

/* --- From the service manager -------------------------------------------------------------- */

static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t length = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

/* Where no broker shuts it down: that would hold for the brokers after it, too. */
static void add_listener(struct kept *kept, int fd)
{
    fd = descriptor_settle(fd, DESCRIPTOR_LISTENERS + (int)kept->listener_count);
    kept->listeners[kept->listener_count++] = fd;
}

static void take_descriptor(struct kept *kept, int fd, const char *name)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (is_listening(fd) && kept->listener_count < LISTENERS_MAX) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        refuse_descriptors(fd);
        add_listener(kept, fd);
    } else if (!kept_inherit(kept, name, fd)) {
        log_line(LOG_WARNING,
                 "closing the inherited descriptor %d (%s), which netbrokerd does not use.", fd,
                 name);
        close(fd);
    }
}

/* Listeners take their places whatever is there, so the places are freed first. */
static void move_out(int end, int moved[DESCRIPTORS_GUARDED])
{
    for (int fd = INHERITED_FIRST; fd < end && fd < DESCRIPTORS_GUARDED; fd++)
        moved[fd] = descriptor_move_out(fd);
}

void listener_inherit(struct kept *kept)
{
    int moved[DESCRIPTORS_GUARDED] = {0};
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");

    if (!pid || !count || atol(pid) != (long)getpid())
        return;
    move_out(INHERITED_FIRST + atoi(count), moved);
    for (int fd = INHERITED_FIRST; fd < INHERITED_FIRST + atoi(count); fd++) {
        size_t length = names ? strcspn(names, ":") : 0;
        char name[256]; /* as long as a manager lets it be (sd_listen_fds_with_names(3)) */

        snprintf(name, sizeof name, "%.*s", (int)length, names ? names : "");
        take_descriptor(kept, fd < DESCRIPTORS_GUARDED ? moved[fd] : fd, name);
        if (names)
            names += length + (names[length] == ':');
    }
    kept_inherited(kept);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

/* --- Of our own ---------------------------------------------------------------------------- */

static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return connected;
}

/* The broker of a keeper that was killed listens until it has noticed. */
static bool somebody_listens(const struct sockaddr_un *address)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    bool answered = is_answered(address);

    for (int i = 0; i < PATIENCE && answered; i++) {
        nanosleep(&pause, NULL);
        answered = is_answered(address);
    }
    return answered;
}

/* A folder that is made for the socket belongs to the user that the service becomes, so that it can
 * remove the socket at the end. If the folder cannot be made, bind says why. */
static void make_folder(const char *path, const char *user)
{
    char copy[sizeof((struct sockaddr_un *)0)->sun_path];
    const struct passwd *entry = getpwnam(user);
    const char *folder;

    snprintf(copy, sizeof copy, "%s", path);
    folder = dirname(copy);
    if (mkdir(folder, 0755) == 0 && entry && chown(folder, entry->pw_uid, (gid_t)-1) < 0)
        log_line(LOG_INFO, "%s stays as it is at the end of the service: %s.", path,
                 strerror(errno));
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

/* In a folder of the service's user, a link may be in the socket's place. */
static void note_socket(const char *path, const struct group *group, struct kept *kept)
{
    struct stat status;

    if (group && lchown(path, (uid_t)-1, group->gr_gid) < 0)
        log_line(LOG_WARNING, "cannot give %s to group %s: %s.", path, group->gr_name,
                 strerror(errno));
    kept->made_socket = lstat(path, &status) == 0;
    kept->socket_device = status.st_dev;
    kept->socket_inode = status.st_ino;
}

bool listener_open(const char *path, const char *user, const char *group, struct kept *kept,
                   struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct group *entry = getgrnam(group);
    int fd;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    make_folder(path, user);
    if (!remove_stale(&address, error))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    refuse_descriptors(fd); /* before anybody can connect */
    if (fd < 0 || bind_with_mode(fd, &address) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
        error_set(error, ERROR_INTERNAL, NULL, "cannot listen on %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    note_socket(path, entry, kept);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    add_listener(kept, fd);
    return true;
}

/* #syscalls keeper: lstat newfstatat fstatat64 unlink unlinkat */
void listener_remove(const char *path, const struct kept *kept)
{
    struct stat status;

    if (kept->made_socket && lstat(path, &status) == 0 && status.st_dev == kept->socket_device &&
        status.st_ino == kept->socket_inode && unlink(path) < 0)
        log_line(LOG_INFO, "%s stays: %s. The next start replaces it.", path, strerror(errno));
}
