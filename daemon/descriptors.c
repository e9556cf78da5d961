#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

static bool fill(int place)
{
    int null;

    if (fcntl(place, F_GETFD) >= 0)
        return true;
    null = open("/dev/null", O_RDWR | (place > STDERR_FILENO ? O_CLOEXEC : 0));
    return null == place; /* the lowest that is free */
}

bool descriptors_reserve(void)
{
    for (int place = 0; place < DESCRIPTORS_GUARDED; place++)
        if (!fill(place))
            return false;
    return true;
}

int descriptor_settle(int fd, int place)
{
    if (fd == place || dup3(fd, place, O_CLOEXEC) < 0)
        return fd;
    close(fd);
    return place;
}

int descriptor_move_out(int fd)
{
    int moved = fd < DESCRIPTORS_GUARDED ? fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS_GUARDED) : fd;

    if (moved < 0 || moved == fd)
        return fd;
    close(fd);
    fill(fd);
    return moved;
}
