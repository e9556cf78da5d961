/* The way to a file is walked folder by folder, as the kernel does it, because a link may lead by
 * folders that the path does not name. */
#include "admin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel's; see path_resolution(7) */

struct walk {
    char done[PATH_MAX]; /* folders without links; "": the root folder */
    char rest[PATH_MAX];
    unsigned links;
    uid_t administrator;
    uid_t top; /* who has the root folder: in a user namespace root of the system has no number */
    char *why;
};

static const char not_regular[] = "it is not a regular file";
static const char not_root[] = "it must belong to root";
static const char a_link[] = "it is a symbolic link, or too many of them lead there";
static const char not_readable[] =
    "Permission denied; the user that the service runs as must be able to read it";
static const char writable[] = "nobody but root may have write permission";

const char *admin_file_judge(const struct stat *status, uid_t administrator)
{
    if (status->st_uid != 0 && status->st_uid != administrator)
        return not_root;
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return writable;
    return NULL;
}

/* --- The way ------------------------------------------------------------------------------- */

static bool say(const struct walk *walk, const char *path, const char *what)
{
    snprintf(walk->why, ADMIN_FILE_WHY_MAX, "%s: %s", path[0] ? path : "/", what);
    return false;
}

static bool judge_step(const struct walk *walk, const char *path, const struct stat *status)
{
    bool ours =
        status->st_uid == 0 || status->st_uid == walk->administrator || status->st_uid == walk->top;

    if (!ours)
        return say(walk, path, not_root);
    if (S_ISDIR(status->st_mode) && !(status->st_mode & S_ISVTX) &&
        status->st_mode & (S_IWGRP | S_IWOTH))
        return say(walk, path, writable);
    return true;
}

/* Puts one text in front of the other; false: there is no room. */
static bool join(char target[PATH_MAX], const char *first, const char *second)
{
    char text[2 * PATH_MAX];

    snprintf(text, sizeof text, "%s/%s", first, second);
    if (strlen(text) >= PATH_MAX)
        return false;
    memcpy(target, text, strlen(text) + 1);
    return true;
}

/* Takes the first part off the rest. False: it is the last one, or there is none. */
static bool take_part(struct walk *walk, char part[PATH_MAX])
{
    char *begin = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(begin, "/");
    char *next = begin + length + strspn(begin + length, "/");

    if (!*next)
        return false;
    memcpy(part, begin, length);
    part[length] = '\0';
    memmove(walk->rest, next, strlen(next) + 1);
    return true;
}

/* #syscalls broker: readlink readlinkat */
static bool follow_link(struct walk *walk, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);

    if (length < 0)
        return say(walk, path, strerror(errno));
    target[length] = '\0';
    if (++walk->links > LINKS_MAX)
        return say(walk, path, a_link);
    if (target[0] == '/')
        walk->done[0] = '\0';
    return join(walk->rest, target, walk->rest) || say(walk, path, strerror(ENAMETOOLONG));
}

static void leave_folder(struct walk *walk)
{
    char *slash = strrchr(walk->done, '/');

    if (slash)
        *slash = '\0';
}

/* What is not there cannot be opened either. */
static bool take_step(struct walk *walk, const char *part, bool *ret_missing)
{
    char path[PATH_MAX];
    struct stat status;

    if (!part[0] || strcmp(part, ".") == 0)
        return true;
    if (strcmp(part, "..") == 0) {
        leave_folder(walk);
        return true;
    }
    if (!join(path, walk->done, part))
        return say(walk, part, strerror(ENAMETOOLONG));
    if (lstat(path, &status) < 0) {
        *ret_missing = errno == ENOENT;
        return *ret_missing || say(walk, path, strerror(errno));
    }
    if (!judge_step(walk, path, &status))
        return false;
    if (S_ISLNK(status.st_mode))
        return follow_link(walk, path);
    memcpy(walk->done, path, sizeof path);
    return true;
}

/* #syscalls broker: getcwd */
static bool begin_walk(struct walk *walk, const char *path)
{
    char folder[PATH_MAX] = "";

    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return say(walk, path, strerror(errno));
    return join(walk->rest, folder, path) || say(walk, path, strerror(ENAMETOOLONG));
}

/* #syscalls broker: stat lstat newfstatat fstatat64 statx */
bool admin_file_place_is_safe(const char *path, uid_t administrator, char why[ADMIN_FILE_WHY_MAX])
{
    struct walk walk = {.administrator = administrator, .why = why};
    char part[PATH_MAX];
    bool missing = false;
    struct stat top;

    if (!begin_walk(&walk, path))
        return false;
    if (stat("/", &top) < 0)
        return say(&walk, "/", strerror(errno));
    walk.top = top.st_uid;
    if (!judge_step(&walk, "/", &top))
        return false;
    while (!missing && take_part(&walk, part))
        if (!take_step(&walk, part, &missing))
            return false;
    return true;
}

/* --- The file ------------------------------------------------------------------------------ */

const char *admin_file_explain(int error)
{
    return error == ELOOP ? a_link : error == EACCES ? not_readable : strerror(error);
}

/* NULL, or what is wrong. */
static const char *judge_opened(int fd, uid_t administrator)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return not_regular;
    return admin_file_judge(&status, administrator);
}

/* #syscalls broker: open openat read close fstat lseek */
FILE *admin_file_open(const char *path, uid_t administrator, char why[ADMIN_FILE_WHY_MAX])
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    const char *what = fd < 0 ? admin_file_explain(errno) : judge_opened(fd, administrator);
    FILE *file;

    if (fd < 0 && errno == ENOENT) {
        snprintf(why, ADMIN_FILE_WHY_MAX, "%s", what);
        return NULL;
    }
    if (what)
        snprintf(why, ADMIN_FILE_WHY_MAX, "%s", what);
    else if (admin_file_place_is_safe(path, administrator, why)) {
        file = fdopen(fd, "r");
        if (file)
            return file;
        snprintf(why, ADMIN_FILE_WHY_MAX, "%s", strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    errno = EACCES;
    return NULL;
}
