#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NUMBERS = 100000,     /* of files: five digits */
    NAME_MORE_BYTES = 32, /* of a name, besides the path */
};

/* --- Life ---------------------------------------------------------------------------------- */

int savefile_files_init(struct savefile_files *files, const char *path, enum savefile_format format,
                        unsigned char *head, size_t head_size)
{
    size_t name_size = strlen(path) + NAME_MORE_BYTES;

    *files = (struct savefile_files){
        .path = strdup(path),
        .name = malloc(name_size),
        .name_size = name_size,
        .format = format,
        .head = head,
        .head_size = head_size,
        .fd = -1,
    };
    if (files->path && files->name) {
        snprintf(files->name, name_size, "%s", path);
        return 0;
    }
    savefile_files_free(files);
    return -ENOMEM;
}

static void close_file(struct savefile_files *files)
{
    if (files->fd >= 0)
        close(files->fd);
    files->fd = -1;
}

void savefile_files_free(struct savefile_files *files)
{
    close_file(files);
    free(files->path);
    free(files->name);
    free(files->head);
    free(files->kept);
}

int savefile_files_number(struct savefile_files *files, unsigned ring)
{
    files->numbered = true;
    files->ring = ring;
    files->kept = calloc(ring ? ring : 1, sizeof *files->kept);
    return files->kept ? 0 : -ENOMEM;
}

/* --- Names --------------------------------------------------------------------------------- */

/* Where the suffix of a path begins: at the last '.' of its name, if that is not its first
 * character; else at its end. */
static size_t suffix_at(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return dot && dot > name ? (size_t)(dot - path) : strlen(path);
}

static void make_name(struct savefile_files *files, const struct savefile_file_name *name)
{
    size_t stem = suffix_at(files->path);

    snprintf(files->name, files->name_size, "%.*s_%05u_%s%s", (int)stem, files->path, name->number,
             name->time, files->path + stem);
}

static struct savefile_file_name *place_of(const struct savefile_files *files, unsigned file)
{
    return &files->kept[files->ring ? file % files->ring : 0];
}

static void name_next(struct savefile_files *files, struct savefile_file_name *ret)
{
    time_t now = time(NULL);
    struct tm local;

    ret->number = (files->begun + 1) % NUMBERS;
    if (!localtime_r(&now, &local) ||
        strftime(ret->time, sizeof ret->time, "%Y%m%d%H%M%S", &local) == 0)
        snprintf(ret->time, sizeof ret->time, "00000000000000");
}

/* --- Opening ------------------------------------------------------------------------------- */

/* Not as a symbolic link, nor in the place of a file that is there: names can be foreseen. */
static int open_numbered(struct savefile_files *files)
{
    struct savefile_file_name next, *place = place_of(files, files->begun);
    int fd;

    if (files->ring > 0 && files->begun >= files->ring) {
        make_name(files, place);
        unlink(files->name);
    }
    name_next(files, &next);
    make_name(files, &next);
    fd = open(files->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return -errno;
    *place = next;
    return fd;
}

bool savefile_is_output(const char *path)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

static int open_output(void)
{
    int fd;

    if (isatty(STDOUT_FILENO))
        return -ENOTTY;
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

/* A FIFO is not waited for that nobody reads; then it is written as any other. */
static int open_path(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    int flags;

    if (fd < 0)
        return -errno;
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

int savefile_files_open(struct savefile_files *files)
{
    struct stat status;
    int fd;

    close_file(files);
    if (files->numbered)
        fd = open_numbered(files);
    else if (savefile_is_output(files->path))
        fd = open_output();
    else
        fd = open_path(files->path);
    if (fd < 0)
        return fd;
    files->fd = fd;
    files->begun++;
    files->regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    return 0;
}

/* --- Writing ------------------------------------------------------------------------------- */

/* One write(2), in which the thread can be cancelled: the reader of a pipe may never read. */
static ssize_t write_some(int fd, const unsigned char *bytes, size_t n)
{
    ssize_t written;
    int error;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    written = write(fd, bytes, n);
    error = errno;
    if (written < 0 && error == EAGAIN) /* somebody else made the open file so */
        poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    if (written >= 0)
        return written;
    return error == EAGAIN || error == EINTR ? 0 : -error;
}

/* Returns 0 or a negative errno, and how many bytes were written. */
static int write_all(int fd, const unsigned char *bytes, size_t n, size_t *ret_done)
{
    size_t done = 0;
    ssize_t written = 0;

    while (done < n && (written = write_some(fd, bytes + done, n - done)) >= 0)
        done += (size_t)written;
    *ret_done = done;
    return written < 0 ? (int)written : 0;
}

/* Takes back the last bytes that were written. */
static void take_back(const struct savefile_files *files, size_t n)
{
    off_t end = files->regular ? lseek(files->fd, 0, SEEK_CUR) : -1;

    if (end >= (off_t)n && ftruncate(files->fd, end - (off_t)n) == 0)
        lseek(files->fd, end - (off_t)n, SEEK_SET);
}

int savefile_files_write_head(struct savefile_files *files)
{
    size_t done;
    int result = write_all(files->fd, files->head, files->head_size, &done);

    if (result == 0)
        return 0;
    take_back(files, done);
    if (files->numbered)
        unlink(files->name);
    return result;
}

int savefile_files_write(struct savefile_files *files, const unsigned char *bytes, size_t n)
{
    size_t done;
    int result = write_all(files->fd, bytes, n, &done);

    if (result < 0)
        take_back(files, done - savefile_whole(files->format, bytes, done));
    return result;
}
