/* Memory without seals: a file that has no name. Of the right size, it is taken for fixed. */
#include "platform/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int memory_make_unsealed(const char *name, size_t size)
{
    char path[] = "/tmp/netbroker-fake-XXXXXX";
    int fd = mkstemp(path), result;

    (void)name;
    if (fd < 0)
        return -errno;
    unlink(path);
    if (ftruncate(fd, (off_t)size) == 0)
        return fd;
    result = -errno;
    close(fd);
    return result;
}

int memory_seal(int fd)
{
    (void)fd;
    return 0;
}

int memory_show(int *fd)
{
    (void)fd;
    return 0;
}

int memory_make(const char *name, size_t size)
{
    return memory_make_unsealed(name, size);
}

bool memory_is_fixed(int fd, size_t size)
{
    struct stat status;

    return fstat(fd, &status) == 0 && status.st_size == (off_t)size;
}

int memory_reserve(int fd, size_t offset, size_t size)
{
    return -posix_fallocate(fd, (off_t)offset, (off_t)size);
}

void memory_release(int fd, size_t offset, size_t size)
{
    (void)fd;
    (void)offset;
    (void)size;
}

void memory_discard(void *mapped, size_t size)
{
    memset(mapped, 0, size);
}
