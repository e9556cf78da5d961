#include "system_file.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void system_file_clear(struct system_file *file)
{
    free(file->text);
    *file = (struct system_file){.path = file->path, .problem = file->problem};
}

/* It is told once. */
static bool lose(struct system_file *file, const char *problem)
{
    bool changed = file->text != NULL;

    if (problem && (!file->problem || strcmp(problem, file->problem) != 0))
        log_line(LOG_WARNING, "%s is not used: %s.", file->path, problem);
    file->problem = problem;
    system_file_clear(file);
    return changed;
}

static const char *judge(const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return "it is not a regular file";
    return info->st_size > SYSTEM_FILE_MAX ? "it is larger than 1 MiB" : NULL;
}

static bool is_same(const struct system_file *file, const struct stat *info)
{
    return file->text && info->st_ino == file->inode && info->st_size == file->size &&
           info->st_ctim.tv_sec == file->changed.tv_sec &&
           info->st_ctim.tv_nsec == file->changed.tv_nsec;
}

/* #syscalls broker: open openat fstat newfstatat fstatat64 statx read close */
static ssize_t read_text(struct system_file *file, size_t size)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length;

    if (fd < 0)
        return -1;
    length = read(fd, file->text, size);
    close(fd);
    return length;
}

bool system_file_update(struct system_file *file)
{
    struct stat info;
    ssize_t length;

    if (!file->path)
        return false;
    if (stat(file->path, &info) < 0)
        return lose(file, errno == ENOENT ? NULL : strerror(errno));
    if (judge(&info))
        return lose(file, judge(&info));
    if (is_same(file, &info))
        return false;
    system_file_clear(file);
    file->text = malloc((size_t)info.st_size + 1);
    length = file->text ? read_text(file, (size_t)info.st_size) : -1;
    if (length < 0) {
        lose(file, strerror(errno));
        return true;
    }
    file->text[length] = '\0';
    file->problem = NULL;
    file->inode = info.st_ino;
    file->size = info.st_size;
    file->changed = info.st_ctim;
    return true;
}

bool system_file_number(const char *text, unsigned long max, unsigned long *ret)
{
    size_t length = strlen(text);

    if (length == 0 || length > 10 || strspn(text, "0123456789") != length)
        return false;
    *ret = strtoul(text, NULL, 10);
    return *ret <= max;
}
