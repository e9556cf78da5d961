/* Mapping the memory of a ring on Linux, and its bells: pipes whose ends do not block. */
#include "rings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_LEAST = 4096, SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

/* Nobody cuts it while it is mapped: that would end the process by SIGBUS. */
static int measure(int fd, struct ring_view *view)
{
    long page = sysconf(_SC_PAGESIZE);
    int seals = fcntl(fd, F_GET_SEALS); /* of anything but such a file: EINVAL */
    struct stat status;

    view->page_bytes = page < PAGE_LEAST ? PAGE_LEAST : (size_t)page;
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) < 0 ||
        (size_t)status.st_size < view->page_bytes)
        return -EINVAL;
    view->size = (size_t)status.st_size - view->page_bytes;
    return (view->size & (view->size - 1)) == 0 ? 0 : -EINVAL;
}

/* Reserves the addresses first, so that nothing else comes between the two. */
static int map_twice(int fd, int protection, struct ring_view *view)
{
    unsigned char *place =
        mmap(NULL, 2 * view->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (place == MAP_FAILED)
        return -errno;
    view->data = place;
    for (size_t at = 0; at < 2 * view->size; at += view->size) {
        void *part = mmap(place + at, view->size, protection, MAP_SHARED | MAP_FIXED, fd,
                          (off_t)view->page_bytes);

        if (part == MAP_FAILED)
            return -errno;
    }
    return 0;
}

int ring_view_map(int fd, bool writable, struct ring_view *ret)
{
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    struct ring_view view = {0};
    int result = measure(fd, &view);
    void *page;

    if (result < 0)
        return result;
    page = mmap(NULL, view.page_bytes, protection, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return -errno;
    view.page = page;
    result = view.size > 0 ? map_twice(fd, protection, &view) : 0;
    if (result == 0)
        *ret = view;
    else
        ring_view_unmap(&view);
    return result;
}

void ring_view_unmap(struct ring_view *view)
{
    if (view->data)
        munmap(view->data, 2 * view->size);
    if (view->page)
        munmap(view->page, view->page_bytes);
    *view = (struct ring_view){0};
}

/* --- Bells --------------------------------------------------------------------------------- */

static bool write_bell(int fd)
{
    return write(fd, "", 1) >= 0 || errno != EPIPE;
}

/* The signal is for the thread that writes: it is taken there before it is let in again, unless one
 * was pending before. */
bool ring_bell_ring(int fd)
{
    const struct timespec now = {0, 0};
    sigset_t pipe_signal, before, pending;
    bool has_end;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    has_end = write_bell(fd);
    if (!has_end && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return has_end;
}

bool ring_bell_clear(int fd)
{
    char bytes[256];

    return read(fd, bytes, sizeof bytes) != 0;
}
