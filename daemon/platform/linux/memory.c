/* Memory on Linux: memfd_create(2), with the seals of fcntl(2). */
#include "platform/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIXED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
    READ_ONLY = F_SEAL_WRITE | 0x10, /* F_SEAL_FUTURE_WRITE of <linux/fcntl.h> */
};

/* #syscalls keeper: memfd_create ftruncate ftruncate64
 * #syscalls broker: memfd_create ftruncate ftruncate64 */
int memory_make_unsealed(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), result;

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) == 0)
        return fd;
    result = -errno;
    close(fd);
    return result;
}

/* #syscalls keeper: fcntl fcntl64
 * #syscalls broker: fcntl fcntl64 */
int memory_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, FIXED) < 0 ? -errno : 0;
}

/* F_SEAL_FUTURE_WRITE would do this in one call, but it would also keep the service from giving the
 * pages back (shmem_fallocate() of mm/shmem.c). So there is another open file for the same memory,
 * for reading only. What memfd_create(2) makes everybody may open for writing by /proc/self/fd, as
 * its mode says, which is why that is taken away.
 *
 * #syscalls broker: open openat fchmod close */
int memory_show(int *fd)
{
    char path[32];
    int shown, result;

    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    shown = open(path, O_RDONLY | O_CLOEXEC);
    if (shown < 0)
        return -errno;
    if (fchmod(shown, 0) < 0) {
        result = -errno;
        close(shown);
        return result;
    }
    close(*fd);
    *fd = shown;
    return 0;
}

int memory_make(const char *name, size_t size)
{
    int fd = memory_make_unsealed(name, size), result;

    if (fd < 0)
        return fd;
    result = memory_seal(fd);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

bool memory_is_fixed(int fd, size_t size)
{
    int seals = fcntl(fd, F_GET_SEALS); /* of anything but such a file: EINVAL */
    struct stat status;

    return seals >= 0 && (seals & (FIXED | READ_ONLY)) == FIXED && fstat(fd, &status) == 0 &&
           status.st_size == (off_t)size && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

/* #syscalls broker: fallocate */
int memory_reserve(int fd, size_t offset, size_t size)
{
    return fallocate(fd, 0, (off_t)offset, (off_t)size) < 0 ? -errno : 0;
}

void memory_release(int fd, size_t offset, size_t size)
{
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

/* madvise(2): as FALLOC_FL_PUNCH_HOLE.
 *
 * #syscalls broker: madvise */
void memory_discard(void *mapped, size_t size)
{
    madvise(mapped, size, MADV_REMOVE);
}
